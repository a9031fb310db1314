// Works out, from the demo document alone, what a server that holds it must answer. It never asks a server.
import { readFileSync } from 'node:fs';

const { organisation, people } = JSON.parse(readFileSync(new URL('../demo/demonstration.json', import.meta.url), 'utf8'));

/** The document of each blueprint, with who answers for what beside it. */
const documents = organisation.blueprints.map(({ document, status, responsibilities }) => ({ ...document, status, handshakes: responsibilities }));
/** Whatever a blueprint's document lists, with the blueprint that it stands in. */
const all = (list) => documents.flatMap((blueprint) => (blueprint[list] ?? []).map((part) => ({ ...part, blueprint: blueprint.key })));

export const demo = { ...organisation, people, blueprints: documents, links: all('kpiLinks'), handshakes: all('handshakes') };

const byKey = (list) => new Map(list.map((item) => [item.key, item]));
export const departments = byKey(demo.departments);
export const blueprints = byKey(demo.blueprints);
export const personas = byKey(demo.personas);

/** The department itself, and with `below` all that hang under it. */
export function reach(key, below) {
  const children = below ? demo.departments.filter((d) => d.parent === key) : [];
  return [key, ...children.flatMap((d) => reach(d.key, true))];
}

export const touchpoints = demo.blueprints.flatMap((blueprint) =>
  blueprint.touchpoints.map((touchpoint) => ({
    ...touchpoint,
    blueprint,
    phase: blueprint.phases.find((p) => p.key === touchpoint.phase),
    responsibilities: blueprint.handshakes.filter((h) => h.touchpoint === touchpoint.key && h.status === 'ACCEPTED'),
  })),
);
const touchpoint = (ref) => touchpoints.find((t) => t.key === ref.touchpoint && t.blueprint.key === ref.blueprint);
const linksOf = (kpi) => demo.links.filter((l) => l.kpi === kpi.key);
const delivers = (r) => r.role === 'ACCOUNTABLE' || r.role === 'RESPONSIBLE';

/** What the touchpoint lists: what is accepted, then what is proposed. */
export const responsibilitiesOf = (t) => [
  ...t.responsibilities.map((r) => ({ role: r.role, status: 'ACCEPTED', department: r.department })),
  ...demo.handshakes
    .filter((p) => p.status === 'PROPOSED' && touchpoint(p) === t)
    .map((p) => ({ role: p.role, status: 'PROPOSED', department: p.department })),
];

export const unaccountable = touchpoints
  .filter((t) => t.lane !== 'CUSTOMER' && !t.responsibilities.some((r) => r.role === 'ACCOUNTABLE'))
  .map((t) => t.key);

export function judge(kpi, { measuredOn, value }) {
  const target = kpi.targets.filter((t) => t.validFrom <= measuredOn).sort((a, b) => (a.validFrom < b.validFrom ? 1 : -1))[0];
  if (target?.value == null) return { target: null, state: 'NO_TARGET' };
  const met = kpi.direction === 'HIGHER' ? value >= target.value : value <= target.value;
  return { target: target.value, state: met ? 'MET' : 'MISSED' };
}

export function latest(kpi) {
  const measurement = kpi.measurements.reduce((a, b) => (b.measuredOn > a.measuredOn ? b : a));
  return { ...measurement, ...judge(kpi, measurement) };
}

export const kpisOf = (t) =>
  demo.kpis.filter((k) => linksOf(k).some((l) => touchpoint(l) === t));

/** One department's page. */
export function department(key, below) {
  const own = new Set(reach(key, below));
  const held = touchpoints.flatMap((t) => t.responsibilities.filter((r) => own.has(r.department) && delivers(r)).map((r) => `${t.key} ${r.role}`));
  const proposals = demo.handshakes
    .filter((p) => p.status === 'PROPOSED' && own.has(p.department))
    .map((p) => `${p.touchpoint} ${p.role} by ${p.proposedByDepartment}`);
  const missed = demo.kpis
    .filter((k) => latest(k).state === 'MISSED')
    .filter((k) => linksOf(k).some((l) => touchpoint(l).responsibilities.some((r) => own.has(r.department) && delivers(r))))
    .map((k) => k.key);
  return { held, proposals, missed };
}

/** Measurement × linked touchpoint × accepted responsibility, as far as `departments` (empty: all) go. */
export function facts(own = null) {
  return demo.kpis.flatMap((kpi) =>
    kpi.measurements.flatMap((measurement) => {
      const rows = linksOf(kpi).flatMap((link) => {
        const t = touchpoint(link);
        const roles = t.responsibilities.length ? t.responsibilities : [{ department: null, role: null }];
        return roles
          .filter((r) => !own || own.includes(r.department))
          .map((r) => ({
            kpiKey: kpi.key, kpiName: kpi.name, unit: kpi.unit, direction: kpi.direction,
            measuredOn: measurement.measuredOn, value: measurement.value, ...judge(kpi, measurement),
            blueprintKey: t.blueprint.key, phaseName: t.phase.name, touchpointKey: t.key, touchpointName: t.name,
            departmentKey: r.department, departmentName: departments.get(r.department)?.name ?? null,
            role: r.role, isDelivering: delivers(r),
          }));
      });
      return rows.map((row) => ({ ...row, rowWeight: 1 / rows.length }));
    }),
  );
}
