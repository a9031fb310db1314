-- Values by department × phase × month: rolled up by month first and joined then, the fastest that is known of plain SQL.
-- It knows values of KPIs as a whole only; see exact.sql.
WITH asked AS (SELECT id FROM kpi WHERE key = ANY(string_to_array(:'keys', ','))),
rolled AS MATERIALIZED (
  SELECT measurement.kpi_id, date_trunc('month', measured_on)::date AS month,
    sum(value * COALESCE(sample_size, 1)) AS weighted, sum(COALESCE(sample_size, 1)) AS weight,
    sum(value) AS total, sum(numerator) AS numerator, sum(denominator) AS denominator
  FROM measurement JOIN asked ON asked.id = measurement.kpi_id
  WHERE superseded_by_id IS NULL AND touchpoint_id IS NULL AND channel_id IS NULL AND segment_id IS NULL
    AND measured_on >= :'from' AND measured_on < :'to'
  GROUP BY 1, 2),
places AS MATERIALIZED (
  SELECT DISTINCT kpi_link.kpi_id, responsibility.department_id, touchpoint.phase_id
  FROM kpi_link JOIN asked ON asked.id = kpi_link.kpi_id
  JOIN touchpoint ON touchpoint.id = kpi_link.touchpoint_id
  JOIN blueprint ON blueprint.id = touchpoint.blueprint_id AND blueprint.state = 'CURRENT' AND blueprint.status IN ('PUBLISHED', 'ARCHIVED')
  JOIN responsibility ON responsibility.touchpoint_id = touchpoint.id AND responsibility.status IN ('ACCEPTED', 'ENDED'))
SELECT department_id, phase_id, month, sum(weighted) / sum(weight) AS average, sum(total) AS total,
  sum(numerator) / sum(denominator) AS ratio
FROM rolled JOIN places USING (kpi_id) GROUP BY 1, 2, 3
