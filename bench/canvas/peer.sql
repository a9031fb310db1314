-- What PostGraphile needs beside the tables to answer Canvas: functions over the tables' own indexes.

CREATE FUNCTION blueprint_by_key(key text) RETURNS blueprint LANGUAGE sql STABLE PARALLEL SAFE
AS 'SELECT blueprint.* FROM blueprint WHERE lower(blueprint.key) = lower($1)';

CREATE FUNCTION blueprint_changed_since_published(blueprint blueprint) RETURNS boolean LANGUAGE sql STABLE PARALLEL SAFE
AS 'SELECT $1.published_number IS NOT NULL AND $1.revision IS DISTINCT FROM $1.published_revision';

-- The rows that Canvas shows; sets, so that PostgreSQL inlines them.
CREATE FUNCTION phase_shown(phase phase) RETURNS SETOF touchpoint LANGUAGE sql STABLE PARALLEL SAFE
AS 'SELECT * FROM touchpoint WHERE phase_id = $1.id AND archived_at IS NULL ORDER BY position, id';

CREATE FUNCTION touchpoint_open(touchpoint touchpoint) RETURNS SETOF responsibility LANGUAGE sql STABLE PARALLEL SAFE
AS $$SELECT * FROM responsibility WHERE touchpoint_id = $1.id AND status IN ('PROPOSED', 'ACCEPTED')$$;

CREATE FUNCTION touchpoint_judged_by(touchpoint touchpoint) RETURNS SETOF kpi_link LANGUAGE sql STABLE PARALLEL SAFE
AS $$SELECT * FROM kpi_link WHERE touchpoint_id = $1.id
     AND (valid_from IS NULL OR valid_from <= CURRENT_DATE) AND (valid_to IS NULL OR valid_to > CURRENT_DATE)$$;

-- What judges a KPI at a touchpoint, in one look: three functions would look for the latest value three times.
-- A set of one row, because only sets are inlined.
CREATE TYPE judgement AS (
    latest_id uuid, latest_value double precision, latest_on date,
    target_id uuid, target_value double precision, target_warning double precision,
    state text
);

CREATE FUNCTION kpi_link_judgement(link kpi_link) RETURNS SETOF judgement ROWS 1 LANGUAGE sql STABLE PARALLEL SAFE AS $$
SELECT latest.id, latest.value, latest.measured_on, target.id, target.value, target.warning, CASE
    WHEN latest.id IS NULL THEN 'NO_DATA'
    WHEN target.value IS NULL THEN 'NO_TARGET'
    WHEN kpi.direction = 'HIGHER' THEN
        CASE WHEN latest.value >= target.value THEN 'MET' WHEN latest.value >= target.warning THEN 'AT_RISK' ELSE 'MISSED' END
    ELSE CASE WHEN latest.value <= target.value THEN 'MET' WHEN latest.value <= target.warning THEN 'AT_RISK' ELSE 'MISSED' END
    END
FROM kpi
LEFT JOIN LATERAL (
    (SELECT id, value, measured_on FROM measurement
     WHERE kpi_id = $1.kpi_id AND touchpoint_id = $1.touchpoint_id AND channel_id IS NULL AND segment_id IS NULL
     AND superseded_by_id IS NULL AND measured_on <= CURRENT_DATE ORDER BY measured_on DESC LIMIT 1)
    UNION ALL
    (SELECT id, value, measured_on FROM measurement
     WHERE kpi_id = $1.kpi_id AND touchpoint_id IS NULL AND channel_id IS NULL AND segment_id IS NULL
     AND superseded_by_id IS NULL AND measured_on <= CURRENT_DATE ORDER BY measured_on DESC LIMIT 1)
    LIMIT 1) latest ON true
LEFT JOIN LATERAL (
    SELECT id, value, warning FROM kpi_target
    WHERE kpi_id = $1.kpi_id AND valid_from <= COALESCE(latest.measured_on, CURRENT_DATE)
    ORDER BY valid_from DESC LIMIT 1) target ON true
WHERE kpi.id = $1.kpi_id
$$;
