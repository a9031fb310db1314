// Brings the two answers to one form, so that they can be compared value by value: bare ids, what only one of them has left out, order by id where the order says nothing. The state of a KPI is left out: here it judges the figure of the last whole period, of the peer the latest value.
const bare = (id) => id.replace(/^[a-z]{3}_/, '').replaceAll('-', '');
const byId = (rows) => [...rows].sort((a, b) => (a.id < b.id ? -1 : 1));

function plain(value) {
  if (Array.isArray(value)) return value.map(plain);
  if (value === null || typeof value !== 'object') return value;
  const entries = Object.entries(value).filter(([name]) => name !== 'viewerPermissions');
  return Object.fromEntries(entries.map(([name, inner]) => [name, name === 'id' ? bare(inner) : plain(inner)]));
}

/** The answer of cx-blueprint. */
export function comparable(blueprint) {
  const form = plain(blueprint);
  for (const touchpoint of form.phases.flatMap((phase) => phase.touchpoints)) {
    touchpoint.responsibilities = byId(touchpoint.responsibilities);
    touchpoint.kpis = byId(touchpoint.kpis.map(({ state, ...link }) => link));
  }
  form.transitions = byId(form.transitions);
  return form;
}

const parsed = (json) => (typeof json === 'string' ? JSON.parse(json) : json);

function judged({ judgement: [found], ...link }) {
  const { targetId, targetValue, targetWarning, latestId, latestValue, latestOn, state } = found;
  return {
    ...link,
    // An entry without a value says that there is no target.
    target: targetValue === null ? null : { id: targetId, value: targetValue, warning: targetWarning },
    latest: latestId === null ? null : { id: latestId, value: latestValue, measuredOn: latestOn },
    state,
  };
}

/** The answer of PostGraphile. */
export function comparablePeer(blueprint) {
  const phases = blueprint.phases.map((phase) => ({
    ...phase,
    touchpoints: phase.touchpoints.map((touchpoint) => ({
      ...touchpoint,
      channels: touchpoint.channels.map(({ channel }) => channel),
      responsibilities: touchpoint.responsibilities.map((held) => ({ ...held, tasks: parsed(held.tasks) })),
      kpis: touchpoint.kpis.map(judged),
    })),
  }));
  return comparable({ ...blueprint, phases });
}

/** Where two values differ first, as a sentence; nothing where they do not. */
export function difference(one, other, path = 'blueprint') {
  if (one === null || other === null || typeof one !== 'object' || typeof other !== 'object') {
    return one === other ? undefined : `${path} is ${JSON.stringify(one)} and ${JSON.stringify(other)}`;
  }
  for (const name of new Set([...Object.keys(one), ...Object.keys(other)])) {
    if (!(name in one) || !(name in other)) return `${path}.${name} is there only once`;
    const found = difference(one[name], other[name], `${path}.${name}`);
    if (found) return found;
  }
  return undefined;
}
