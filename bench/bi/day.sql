-- A day of kpi_facts, as somebody would write it by hand: every column of the feed, from what was linked and accepted.
SELECT 'msr_' || replace(measurement.id::text, '-', '') || '.tch_' || replace(touchpoint.id::text, '-', '') || '.dep_'
    || replace(department.id::text, '-', '') || '.' || responsibility.role AS row_id,
  'msr_' || replace(measurement.id::text, '-', '') AS measurement_id, 'kpi_' || replace(kpi.id::text, '-', '') AS kpi_id,
  kpi.key, kpi.name, kpi.unit, kpi.currency, kpi.direction, measurement.measured_on, measurement.value,
  measurement.numerator, measurement.denominator, measurement.sample_size, measurement.channel_id, measurement.segment_id,
  target.value AS target, target.warning,
  CASE WHEN target.value IS NULL THEN 'NO_TARGET'
    WHEN CASE kpi.direction WHEN 'HIGHER' THEN measurement.value >= target.value ELSE measurement.value <= target.value END THEN 'MET'
    WHEN CASE kpi.direction WHEN 'HIGHER' THEN measurement.value >= target.warning ELSE measurement.value <= target.warning END THEN 'AT_RISK'
    ELSE 'MISSED' END AS state,
  'blu_' || replace(blueprint.id::text, '-', '') AS blueprint_id, blueprint.key AS blueprint_key,
  'pha_' || replace(phase.id::text, '-', '') AS phase_id, phase.name AS phase_name, phase.stage,
  'tch_' || replace(touchpoint.id::text, '-', '') AS touchpoint_id, touchpoint.key AS touchpoint_key, touchpoint.name AS touchpoint_name,
  'dep_' || replace(department.id::text, '-', '') AS department_id, department.key AS department_key, department.name AS department_name,
  responsibility.role, responsibility.role IN ('RESPONSIBLE', 'ACCOUNTABLE') AS is_delivering,
  1.0::float8 / count(*) OVER (PARTITION BY measurement.id) AS row_weight
FROM measurement JOIN kpi ON kpi.id = measurement.kpi_id
LEFT JOIN LATERAL (SELECT value, warning FROM kpi_target WHERE kpi_id = kpi.id AND valid_from <= measured_on ORDER BY valid_from DESC LIMIT 1) target ON true
LEFT JOIN kpi_link link ON link.kpi_id = kpi.id AND (measurement.touchpoint_id IS NULL OR link.touchpoint_id = measurement.touchpoint_id)
LEFT JOIN touchpoint ON touchpoint.id = link.touchpoint_id
LEFT JOIN phase ON phase.id = touchpoint.phase_id
LEFT JOIN blueprint ON blueprint.id = touchpoint.blueprint_id
LEFT JOIN responsibility ON responsibility.touchpoint_id = touchpoint.id AND responsibility.status IN ('ACCEPTED', 'ENDED')
LEFT JOIN department ON department.id = responsibility.department_id
WHERE measurement.superseded_by_id IS NULL AND measurement.measured_on = :'day'
