-- The same with what kpiSeries knows besides: at a touchpoint its own values of the month come before those of the whole.
-- Only to hold the answers to one another; in this organisation links and roles have always held.
WITH asked AS (SELECT id FROM kpi WHERE key = ANY(string_to_array(:'keys', ','))),
rolled AS MATERIALIZED (
  SELECT measurement.kpi_id, touchpoint_id, date_trunc('month', measured_on)::date AS month,
    sum(value * COALESCE(sample_size, 1)) AS weighted, sum(COALESCE(sample_size, 1)) AS weight,
    sum(value) AS total, sum(numerator) AS numerator, sum(denominator) AS denominator, count(*) AS measurements
  FROM measurement JOIN asked ON asked.id = measurement.kpi_id
  WHERE superseded_by_id IS NULL AND measured_on >= :'from' AND measured_on < :'to'
  GROUP BY 1, 2, 3),
months AS (SELECT DISTINCT month FROM rolled),
places AS (
  SELECT DISTINCT kpi_link.kpi_id, touchpoint.id AS touchpoint_id, responsibility.department_id, touchpoint.phase_id
  FROM kpi_link JOIN asked ON asked.id = kpi_link.kpi_id
  JOIN touchpoint ON touchpoint.id = kpi_link.touchpoint_id
  JOIN blueprint ON blueprint.id = touchpoint.blueprint_id AND blueprint.state = 'CURRENT' AND blueprint.status IN ('PUBLISHED', 'ARCHIVED')
  JOIN responsibility ON responsibility.touchpoint_id = touchpoint.id AND responsibility.status IN ('ACCEPTED', 'ENDED')),
counted AS (
  SELECT DISTINCT places.kpi_id, own.touchpoint_id, department_id, phase_id, months.month
  FROM places CROSS JOIN months
  LEFT JOIN rolled own ON own.kpi_id = places.kpi_id AND own.touchpoint_id = places.touchpoint_id AND own.month = months.month)
SELECT department_id, phase_id, counted.month, sum(measurements) AS measurements,
  CASE :'aggregation' WHEN 'AVERAGE' THEN sum(weighted) / sum(weight) WHEN 'SUM' THEN sum(total)
    ELSE :scale * sum(numerator) / sum(denominator) END AS value
FROM counted JOIN rolled ON rolled.kpi_id = counted.kpi_id AND rolled.month = counted.month
  AND rolled.touchpoint_id IS NOT DISTINCT FROM counted.touchpoint_id
GROUP BY 1, 2, 3
