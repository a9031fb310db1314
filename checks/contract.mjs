// Holds a fresh demo to the contract: every operation of operations.graphql, against answers worked out in organisation.mjs.
// Reads come first, then writes; it needs a demo that nobody has changed, and leaves it changed.
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { test } from 'node:test';
import * as organisation from './organisation.mjs';
import { login, operations, person, send } from './client.mjs';

const { demo } = organisation;
const humans = demo.people.filter((a) => !a.service);
const people = Object.fromEntries(await Promise.all(humans.map(async (a) => [a.key, await person(a.key)])));
const ann = people['ann-cx'];
const eva = people['eva-viewer'];
const ida = people['ida-agent'];
const jon = people['jon-lead-aftersales'];
const cia = people['cia-lead-marketing'];
const bo = people['bo-lead-fund'];
const kim = people['kim-lead-finance'];
const hal = people['hal-cx'];

const used = new Set();
/** The data of an operation that must run without an error. */
async function data(who, operation, variables) {
  used.add(operation);
  const answer = await who.run(operation, variables);
  assert.deepEqual(answer.errors, undefined, `${who.key} ${operation}`);
  assert.equal(answer.status, 200);
  return answer.data;
}
/** The payload of a mutation that must succeed. */
async function done(who, operation, input) {
  const [payload] = Object.values(await data(who, operation, { input }));
  assert.deepEqual(payload.userErrors, [], `${who.key} ${operation}`);
  return payload;
}
/** The payload of a mutation that must be refused with the code; `reason` and `field` only where they are given. */
async function refused(code, who, operation, input, { reason, field } = {}) {
  const [payload] = Object.values(await data(who, operation, { input }));
  const codes = payload.userErrors.map((e) => e.code);
  assert.ok(codes.includes(code), `${who.key} ${operation}: wanted ${code}, got ${JSON.stringify(payload.userErrors)}`);
  const error = payload.userErrors.find((e) => e.code === code);
  assert.ok(error.message.length > 0);
  if (reason) assert.equal(error.reason, reason);
  if (field) assert.deepEqual(error.field, field);
  return payload;
}
const canvas = async (who, key) => (await data(who, 'Canvas', { key })).blueprint;
const steps = (blueprint) => blueprint.phases.flatMap((p) => p.touchpoints);
const step = async (blueprint, key) => steps(await canvas(ann, blueprint)).find((t) => t.key === key);
const held = (t, department, role) => t.responsibilities.find((r) => r.department.key === department && r.role === role);
const keys = (list) => list.map((item) => item.key);
async function facts(who, filter) {
  const rows = [];
  for (let after = null, more = true; more; ) {
    const { nodes, pageInfo } = (await data(who, 'Facts', { after, filter })).kpiFacts;
    assert.ok(nodes.length <= 200);
    rows.push(...nodes);
    more = pageInfo.hasNextPage;
    assert.ok(!more || (nodes.length > 0 && pageInfo.endCursor !== after), 'a page that leads nowhere');
    after = pageInfo.endCursor;
  }
  return rows;
}
const weight = (rows) => rows.reduce((sum, row) => sum + row.rowWeight, 0);
const near = (a, b) => assert.ok(Math.abs(a - b) < 1e-9, `${a} is not ${b}`);
/** A UUIDv7 with a prefix, as a client makes it. */
function newId(prefix) {
  const hex = Date.now().toString(16).padStart(12, '0') + '7' + randomBytes(10).toString('hex').slice(1);
  const variant = '89ab'[parseInt(hex[16], 16) & 3];
  return `${prefix}_${hex.slice(0, 16)}${variant}${hex.slice(17, 32)}`;
}

// ── reads ──────────────────────────────────────────────────────────────────────────────────────

for (const account of humans) {
  test(`Me: ${account.key}`, async () => {
    const { viewer } = await data(people[account.key], 'Me');
    assert.match(viewer.account.id, /^acc_[0-9a-f]{32}$/);
    assert.deepEqual([viewer.account.key, viewer.account.name, viewer.account.role], [account.key, account.name, account.role]);
    assert.deepEqual(viewer.memberships.map((m) => ({ department: m.department.key, role: m.role })), account.memberships);
  });
}

test('an answer is of the media type that was asked for', async () => {
  const answer = await ann.run('Me');
  assert.match(answer.type, /^application\/graphql-response\+json/);
});

for (const blueprint of demo.blueprints) {
  test(`Canvas: ${blueprint.key}`, async () => {
    const got = await canvas(ann, blueprint.key);
    const persona = organisation.personas.get(blueprint.persona);
    assert.match(got.id, /^blu_[0-9a-f]{32}$/);
    for (const field of ['key', 'title', 'subject', 'state', 'status']) assert.equal(got[field], blueprint[field], field);
    assert.ok(got.version >= 1 && got.revision >= 1 && Array.isArray(got.viewerPermissions));
    assert.deepEqual([got.persona.key, got.persona.name, got.persona.needs.map((n) => n.text)], [persona.key, persona.name, persona.needs]);
    assert.equal(got.ownerDepartment.key, blueprint.ownerDepartment);

    assert.deepEqual(
      got.phases.map((p) => ({ key: p.key, name: p.name, stage: p.stage, position: p.position })),
      blueprint.phases.map((p, i) => ({ ...p, position: i + 1 })),
    );
    for (const phase of got.phases) {
      const positions = phase.touchpoints.map((t) => t.position);
      assert.ok(positions.every((p, i) => i === 0 || positions[i - 1] < p), `${phase.key}: ${positions}`);
    }
    const wanted = (phase) =>
      organisation.touchpoints
        .filter((t) => t.blueprint === blueprint && t.phase.key === phase.key)
        .map((t) => ({
          key: t.key, name: t.name, lane: t.lane, customerAction: null, emotion: t.emotion, usage: t.usage, usageReason: t.usageReason ?? null,
          importanceCustomer: t.importanceCustomer, importanceOrganisation: t.importanceOrganisation,
          momentOfTruth: false, essential: t.essential, basis: t.basis, note: t.note ?? null,
          channels: t.channels.map((key) => [key, demo.channels.find((c) => c.key === key).name]),
          responsibilities: organisation.responsibilitiesOf(t).map((r) => `${r.department} ${r.role} ${r.status}`),
          kpis: organisation.kpisOf(t).map((k) => {
            const { value, measuredOn, target, state } = organisation.latest(k);
            return { weight: null, key: k.key, name: k.name, unit: k.unit, direction: k.direction, target: { value: target, warning: null }, latest: { value, measuredOn }, state };
          }),
        }));
    const seen = (phase) =>
      phase.touchpoints.map(({ id, version, position, viewerPermissions, channels, responsibilities, kpis, ...rest }) => ({
        ...rest,
        channels: channels.map((c) => [c.key, c.name]),
        responsibilities: responsibilities.map((r) => `${r.department.key} ${r.role} ${r.status}`),
        kpis: kpis.map(({ weight, kpi: { id, ...kpi }, target: { id: _, ...target }, latest: { id: __, ...latest }, state }) => ({ weight, ...kpi, target, latest, state })),
      }));
    for (const phase of got.phases) assert.deepEqual(seen(phase), wanted(phase), phase.key);

    assert.deepEqual(
      got.transitions.map((t) => ({ kind: t.kind, end: t.end, basis: t.basis, from: t.from?.key ?? null, to: t.to?.key ?? null })),
      blueprint.transitions.map((t) => ({ kind: t.kind, end: t.end ?? null, basis: t.basis, from: t.from ?? null, to: t.to ?? null })),
    );
  });
}

test('Canvas: 25 touchpoints and 34 transitions for bp-member', async () => {
  const got = await canvas(ann, 'bp-member');
  assert.deepEqual([steps(got).length, got.transitions.length], [25, 34]);
});

test('a key finds its object however it is spelled', async () => {
  assert.equal((await canvas(ann, 'BP-MEMBER')).key, 'bp-member');
});

test('Blueprints: four of customers, by page too', async () => {
  const wanted = keys(demo.blueprints.filter((b) => b.subject === 'CUSTOMER'));
  const { edges, pageInfo, totalCount } = (await data(ann, 'Blueprints')).blueprints;
  assert.deepEqual([keys(edges.map((e) => e.node)), pageInfo.hasNextPage, totalCount], [wanted, false, 4]);
  assert.equal(pageInfo.endCursor, edges.at(-1).cursor);
  const rest = (await data(ann, 'Blueprints', { after: edges[1].cursor })).blueprints;
  assert.deepEqual([keys(rest.edges.map((e) => e.node)), rest.totalCount], [wanted.slice(2), 4]);
});

test('a partner sees the blueprint it takes part in, and nothing of the others', async () => {
  const { edges, totalCount } = (await data(ida, 'Blueprints')).blueprints;
  assert.deepEqual([keys(edges.map((e) => e.node)), totalCount], [['bp-flight'], 1]);
  assert.equal(await canvas(ida, 'bp-member'), null);
  assert.equal((await canvas(ida, 'bp-flight')).key, 'bp-flight');
  assert.deepEqual(keys((await data(ida, 'Unaccountable')).touchpoints.nodes), ['F03']);
});

test('Unaccountable: U08, U17, R07, F03, B10', async () => {
  assert.deepEqual(organisation.unaccountable, ['U08', 'U17', 'R07', 'F03', 'B10']);
  for (const who of [ann, eva, people['gus-admin']]) {
    const { nodes, pageInfo } = (await data(who, 'Unaccountable')).touchpoints;
    assert.deepEqual([keys(nodes), pageInfo.hasNextPage], [organisation.unaccountable, false]);
    assert.deepEqual(nodes.map((n) => n.blueprint.key), ['bp-member', 'bp-member', 'bp-rental', 'bp-flight', 'bp-aftermarket']);
  }
});

for (const { key, name, kind, parent } of demo.departments) {
  test(`MyDepartment: ${key}`, async () => {
    for (const below of [undefined, false, true]) {
      const { department } = await data(ann, 'MyDepartment', { key, below });
      assert.deepEqual([department.key, department.name, department.kind, department.parent?.key], [key, name, kind, parent]);
      const wanted = organisation.department(key, below);
      const seen = {
        held: department.responsibilities.nodes.map((r) => `${r.touchpoint.key} ${r.role}`),
        proposals: department.proposals.nodes.map((r) => `${r.touchpoint.key} ${r.role} by ${r.proposedBy?.key}`),
        missed: keys(department.kpis.nodes),
      };
      assert.deepEqual(seen, wanted, `includeDescendants ${below}`);
      assert.ok(department.responsibilities.nodes.every((r) => r.status === 'ACCEPTED'));
    }
  });
}

test('MyDepartment: KB1, KB2 and KE1 are missed in b-aftersales', async () => {
  const { department } = await data(jon, 'MyDepartment', { key: 'b-aftersales' });
  assert.deepEqual(keys(department.kpis.nodes), ['KB1', 'KB2', 'KE1']);
});

const rowKey = (r) => `${r.kpiKey} ${r.measuredOn} ${r.blueprintKey} ${r.touchpointKey} ${r.departmentKey} ${r.role}`;
const sorted = (rows) => rows.toSorted((a, b) => (rowKey(a) < rowKey(b) ? -1 : 1));
function sameRows(got, wanted) {
  assert.equal(got.length, wanted.length);
  const plain = sorted(got).map(({ rowId, measurementId, kpiId, touchpointId, departmentId, rowWeight, ...row }) => row);
  assert.deepEqual(plain, sorted(wanted).map(({ rowWeight, ...row }) => row));
  near(weight(got), weight(wanted));
}

test('Facts: 360 rows that weigh 66', async () => {
  const rows = await facts(ann);
  assert.equal(rows.length, 360);
  near(weight(rows), 66);
  sameRows(rows, organisation.facts());
  assert.equal(new Set(rows.map((r) => r.rowId)).size, 360);
  assert.equal(new Set(rows.map((r) => r.measurementId)).size, 66);
  const weights = new Map(organisation.facts().map((r) => [rowKey(r), r.rowWeight]));
  for (const row of rows) near(row.rowWeight, weights.get(rowKey(row)));
});

test('Facts: rows by direction and state', async () => {
  const rows = await facts(ann);
  const count = (direction, state) => rows.filter((r) => r.direction === direction && r.state === state).length;
  assert.deepEqual([count('HIGHER', 'MET'), count('HIGHER', 'MISSED'), count('LOWER', 'MET'), count('LOWER', 'MISSED')], [40, 182, 75, 63]);
});

const filters = {
  'a month': [{ from: '2025-02-01', to: '2025-03-01' }, (r) => r.measuredOn === '2025-02-28'],
  'two KPIs': [{ kpiKeys: ['KU1', 'KB4'] }, (r) => ['KU1', 'KB4'].includes(r.kpiKey)],
  'a department': [{ departmentKeys: ['u-campus'] }, (r) => r.departmentKey === 'u-campus'],
  'a blueprint': [{ blueprintKeys: ['bp-flight'] }, (r) => r.blueprintKey === 'bp-flight'],
  'roles': [{ roles: ['ACCOUNTABLE', 'INFORMED'] }, (r) => ['ACCOUNTABLE', 'INFORMED'].includes(r.role)],
  'a state': [{ states: ['MISSED'] }, (r) => r.state === 'MISSED'],
  'a state nothing is in': [{ states: ['NO_TARGET', 'AT_RISK'] }, () => false],
  'a key that does not exist': [{ kpiKeys: ['KX9'] }, () => false],
  'all at once': [
    { from: '2025-03-01', to: '2025-04-01', kpiKeys: ['KB1', 'KB2'], departmentKeys: ['b-sales'], blueprintKeys: ['bp-aftermarket'], roles: ['RESPONSIBLE'], states: ['MISSED'] },
    (r) => r.measuredOn === '2025-03-31' && ['KB1', 'KB2'].includes(r.kpiKey) && r.departmentKey === 'b-sales' && r.role === 'RESPONSIBLE',
  ],
};
for (const [name, [filter, keep]] of Object.entries(filters)) {
  test(`Facts: ${name}`, async () => sameRows(await facts(ann, filter), organisation.facts().filter(keep)));
}

test('Facts: analyst and auditor see all, a lead the rows of their departments', async () => {
  for (const key of ['bea-analyst', 'fia-auditor']) sameRows(await facts(people[key]), organisation.facts());
  const leads = { 'jon-lead-aftersales': 'b-aftersales', 'kim-lead-finance': 'b-finance', 'lea-cx': 'industrial', 'hal-cx': 'travel', 'bo-lead-fund': 'u-fund', 'cia-lead-marketing': 'u-marketing' };
  for (const [key, top] of Object.entries(leads)) sameRows(await facts(people[key]), organisation.facts(organisation.reach(top, true)));
});

test('Facts: refused to those without the right', async () => {
  for (const who of [eva, ida, people['dan-contrib-campus'], people['gus-admin']]) {
    const { errors } = await who.run('Facts');
    assert.equal(errors?.[0].extensions.code, 'FORBIDDEN', who.key);
  }
});

test('ids that are unknown or of another type find nothing', async () => {
  const { department } = await data(ann, 'MyDepartment', { key: 'union' });
  for (const id of [newId('blu'), department.id]) {
    const answer = await ann.ask('query ($id: ID!) { blueprint(by: { id: $id }) { key } }', { id });
    assert.ok(answer.status < 500);
    assert.equal(answer.data?.blueprint ?? null, null, id);
    assert.notEqual(answer.errors?.[0].extensions.code, 'INTERNAL_SERVER_ERROR');
  }
  assert.equal(await canvas(ann, 'no-such-blueprint'), null);
  assert.equal((await data(ann, 'MyDepartment', { key: 'no-such-department' })).department, null);
  const accept = await ann.run('Accept', { input: { id: department.id, expectedVersion: 1 } }); // a department is no responsibility
  const told = accept.data?.responsibilityAccept?.userErrors ?? accept.errors.map((e) => e.extensions);
  assert.ok(accept.status < 500 && ['NOT_FOUND', 'INVALID', 'BAD_USER_INPUT'].includes(told[0].code), JSON.stringify(accept));
  const both = await ann.ask('{ blueprint(by: { id: "x", key: "bp-member" }) { key } }');
  assert.equal(both.status, 400);
});

test('an unknown cursor is a fault of the caller', async () => {
  const { errors } = await ann.run('Facts', { after: 'nonsense' });
  assert.equal(errors?.[0].extensions.code, 'BAD_USER_INPUT');
});

// ── writes ─────────────────────────────────────────────────────────────────────────────────────

test('Accept: refused to whoever is not the other party', async () => {
  const letters = await step('bp-member', 'U17');
  const review = await step('bp-member', 'U23');
  const forComms = held(letters, 'u-comms', 'ACCOUNTABLE');
  const forService = held(review, 'u-service', 'RESPONSIBLE');
  assert.deepEqual([forComms.status, forService.status], ['PROPOSED', 'PROPOSED']);
  const accept = ({ id, version }) => ({ id, expectedVersion: version });
  await refused('FORBIDDEN', eva, 'Accept', accept(forService)); // a viewer of the addressed department
  await refused('FORBIDDEN', cia, 'Accept', accept(forService)); // leads the department that proposed it
  await refused('FORBIDDEN', bo, 'Accept', accept(forComms)); // the same
  for (const key of ['bea-analyst', 'fia-auditor', 'gus-admin', 'dan-contrib-campus']) await refused('FORBIDDEN', people[key], 'Accept', accept(forService));
  await refused('NOT_FOUND', ida, 'Accept', accept(forService)); // may not read the blueprint
  await refused('NOT_FOUND', ann, 'Accept', { id: newId('rsp'), expectedVersion: 1 });
  const after = await step('bp-member', 'U23');
  assert.deepEqual(held(after, 'u-service', 'RESPONSIBLE'), forService);
});

test('Accept: a lead of the addressed department, once', async () => {
  const { id, version } = held(await step('bp-member', 'U08'), 'u-marketing', 'ACCOUNTABLE');
  await refused('CONFLICT', cia, 'Accept', { id, expectedVersion: version + 1 });
  const payload = await done(cia, 'Accept', { id, expectedVersion: version });
  assert.equal(payload.responsibility.status, 'ACCEPTED');
  assert.ok(payload.responsibility.version > version);
  assert.deepEqual(keys((await data(ann, 'Unaccountable')).touchpoints.nodes), ['U17', 'R07', 'F03', 'B10']);
  assert.deepEqual((await data(ann, 'MyDepartment', { key: 'u-marketing' })).department.proposals.nodes, []);
});

test('Accept: of two proposals for U17 one is taken, the other told by whom', async () => {
  const before = await step('bp-member', 'U17');
  const comms = held(before, 'u-comms', 'ACCOUNTABLE');
  const membership = held(before, 'u-membership', 'ACCOUNTABLE');
  const taken = await done(ann, 'Accept', { id: comms.id, expectedVersion: comms.version });
  const now = taken.responsibility.touchpoint.responsibilities.map((r) => `${r.department.key} ${r.role} ${r.status}`);
  assert.deepEqual(now.toSorted(), ['u-comms ACCOUNTABLE ACCEPTED', 'u-comms RESPONSIBLE ACCEPTED', 'u-fund RESPONSIBLE ACCEPTED', 'u-membership RESPONSIBLE ACCEPTED']);
  const late = await refused('CONFLICT', ann, 'Accept', { id: membership.id, expectedVersion: membership.version }, { reason: 'ACCOUNTABLE_TAKEN' });
  assert.equal(late.responsibility.status, 'DECLINED');
  assert.equal(late.responsibility.touchpoint.responsibilities.find((r) => r.role === 'ACCOUNTABLE').department.key, 'u-comms');
  assert.deepEqual((await data(ann, 'MyDepartment', { key: 'u-membership' })).department.proposals.nodes, []);
});

test('Decline: once', async () => {
  const { id, version } = held(await step('bp-flight', 'F03'), 'f-partner', 'ACCOUNTABLE');
  await refused('FORBIDDEN', ida, 'Decline', { id, expectedVersion: version, reason: 'Not ours to refuse.' });
  const { responsibility } = await done(hal, 'Decline', { id, expectedVersion: version, reason: 'The form is the agents’ own.' });
  assert.equal(responsibility.status, 'DECLINED');
  await refused('CONFLICT', hal, 'Decline', { id, expectedVersion: responsibility.version, reason: 'Again.' });
  assert.ok(keys((await data(ann, 'Unaccountable')).touchpoints.nodes).includes('F03'));
});

test('Propose and Accept: a department’s own proposal needs another’s yes', async () => {
  const { id: touchpointId } = await step('bp-member', 'U05');
  const { department } = await data(bo, 'MyDepartment', { key: 'u-fund' });
  const input = { id: newId('rsp'), touchpointId, departmentId: department.id, role: 'RESPONSIBLE', tasks: ['explain the fund'], note: 'We hear about it first.' };
  await refused('FORBIDDEN', eva, 'Propose', input);
  await refused('NOT_FOUND', bo, 'Propose', { ...input, touchpointId: newId('tch') });
  const { responsibility } = await done(bo, 'Propose', input);
  assert.deepEqual([responsibility.id, responsibility.status], [input.id, 'PROPOSED']);
  await data(bo, 'Propose', { input }); // a retry makes nothing twice
  const proposals = (await data(ann, 'MyDepartment', { key: 'u-fund' })).department.proposals.nodes;
  assert.deepEqual(proposals.map((p) => [p.id, p.note, p.proposedBy.key]), [[input.id, input.note, 'u-fund']]);
  const accept = { id: input.id, expectedVersion: responsibility.version };
  await refused('FORBIDDEN', bo, 'Accept', accept);
  assert.equal((await done(ann, 'Accept', accept)).responsibility.status, 'ACCEPTED');
  assert.equal(held(await step('bp-member', 'U05'), 'u-fund', 'RESPONSIBLE').status, 'ACCEPTED');
});

test('Accept: a takeover ends the former accountable', async () => {
  const before = await step('bp-member', 'U16');
  const former = held(before, 'u-comms', 'ACCOUNTABLE');
  const { department } = await data(ann, 'MyDepartment', { key: 'u-marketing' });
  const proposed = await done(ann, 'Propose', { touchpointId: before.id, departmentId: department.id, role: 'ACCOUNTABLE' });
  assert.equal((await data(ann, 'MyDepartment', { key: 'u-marketing' })).department.proposals.nodes[0].proposedBy, null);
  const { id, version } = proposed.responsibility;
  const payload = await done(cia, 'Accept', { id, expectedVersion: version });
  assert.deepEqual([payload.ended].flat(), [{ id: former.id, status: 'ENDED' }]);
  const holders = (await step('bp-member', 'U16')).responsibilities.filter((r) => r.role === 'ACCOUNTABLE');
  assert.deepEqual(holders.map((r) => r.department.key), ['u-marketing']);
});

test('Update: tasks of one’s own department', async () => {
  const mine = held(await step('bp-aftermarket', 'B08'), 'b-aftersales', 'ACCOUNTABLE');
  const input = { id: mine.id, expectedVersion: mine.version, tasks: ['answer within four hours', 'tell sales of every complaint'] };
  await refused('FORBIDDEN', kim, 'Update', input);
  const { responsibility } = await done(jon, 'Update', input);
  assert.deepEqual(responsibility.tasks, input.tasks);
  assert.ok(responsibility.version > mine.version);
  const late = await refused('CONFLICT', jon, 'Update', { ...input, tasks: [] });
  assert.deepEqual(late.responsibility, responsibility);
});

test('Move: and back, and no sibling changes its version', async () => {
  const phase = async (key) => (await canvas(ann, 'bp-member')).phases.find((p) => p.key === key);
  const { id: phaseId, touchpoints: before } = await phase('m5');
  assert.deepEqual(keys(before), ['U16', 'U17', 'U18', 'U19', 'U20', 'U25', 'U21', 'U22']);
  const [trip, offer, courses] = ['U20', 'U22', 'U19'].map((key) => before.find((t) => t.key === key));
  const versions = (list) => Object.fromEntries(list.filter((t) => t.id !== trip.id).map((t) => [t.key, t.version]));

  const input = { id: trip.id, expectedVersion: trip.version, phaseId, afterId: offer.id };
  await refused('FORBIDDEN', eva, 'Move', input);
  const moved = await done(ann, 'Move', input);
  const told = moved.phases.find((p) => p.id === phaseId).touchpoints.map((t) => t.id);
  const there = (await phase('m5')).touchpoints;
  assert.deepEqual(keys(there), ['U16', 'U17', 'U18', 'U19', 'U25', 'U21', 'U22', 'U20']);
  assert.deepEqual(told, there.map((t) => t.id));
  assert.deepEqual(versions(there), versions(before));
  await refused('CONFLICT', ann, 'Move', input);

  const back = await done(ann, 'Move', { ...input, expectedVersion: moved.touchpoint.version, afterId: courses.id });
  const home = (await phase('m5')).touchpoints;
  assert.deepEqual(keys(home), keys(before));
  assert.deepEqual(versions(home), versions(before));

  const { id: share } = await phase('m6');
  const across = await done(ann, 'Move', { ...input, expectedVersion: back.touchpoint.version, phaseId: share, afterId: null });
  assert.deepEqual([keys((await phase('m6')).touchpoints), (await phase('m5')).touchpoints.length], [['U20', 'U23', 'U24'], 7]);
  await done(ann, 'Move', { ...input, expectedVersion: across.touchpoint.version, afterId: courses.id });
  assert.deepEqual(keys((await phase('m5')).touchpoints), keys(before));
  assert.deepEqual(versions((await phase('m5')).touchpoints), versions(before));
});

test('Record: again is unchanged, another value corrects, one fault refuses all', async () => {
  const support = await step('bp-aftermarket', 'B08');
  const invoice = await step('bp-aftermarket', 'B05');
  const [kb3, kb5] = [support.kpis[0].kpi.id, invoice.kpis[0].kpi.id];
  const april = { kpiId: kb3, measuredOn: '2025-04-30', value: 3.7 };
  const counts = ({ recorded, corrected, unchanged }) => ({ recorded, corrected, unchanged });
  const record = async (...measurements) => counts(await done(jon, 'Record', { measurements }));

  await refused('FORBIDDEN', eva, 'Record', { measurements: [april] });
  await refused('FORBIDDEN', kim, 'Record', { measurements: [april] });
  await refused('FORBIDDEN', jon, 'Record', { measurements: [april, { ...april, kpiId: kb5 }] });
  const unknown = { measurements: [april, { ...april, kpiId: newId('kpi') }] };
  await refused('NOT_FOUND', jon, 'Record', unknown, { field: ['measurements', '1', 'kpiId'] });
  assert.equal((await step('bp-aftermarket', 'B08')).kpis[0].latest.measuredOn, '2025-03-31');

  assert.deepEqual(await record(april), { recorded: 1, corrected: 0, unchanged: 0 });
  assert.deepEqual(await record(april), { recorded: 0, corrected: 0, unchanged: 1 });
  const may = { ...april, measuredOn: '2025-05-31', value: 4 };
  assert.deepEqual(await record({ ...april, value: 4.1 }, may), { recorded: 1, corrected: 1, unchanged: 0 });
  assert.deepEqual(await record({ ...april, value: 4.1 }, may), { recorded: 0, corrected: 0, unchanged: 2 });

  const rows = await facts(ann, { kpiKeys: ['KB3'] });
  const days = Object.fromEntries(rows.map((r) => [r.measuredOn, [r.value, r.state]]));
  assert.deepEqual(days, {
    '2025-01-31': [5.5, 'MISSED'], '2025-02-28': [4.8, 'MISSED'], '2025-03-31': [3.9, 'MET'],
    '2025-04-30': [4.1, 'MISSED'], '2025-05-31': [4, 'MET'],
  });
  near(weight(rows), 5);
  const { latest, state } = (await step('bp-aftermarket', 'B08')).kpis[0];
  assert.deepEqual([latest.value, latest.measuredOn, state], [4, '2025-05-31', 'MET']);
});

// ── doors ──────────────────────────────────────────────────────────────────────────────────────

test('every operation of the contract was sent', () => {
  assert.deepEqual([...operations.keys()].filter((name) => !used.has(name)), []);
});

test('nobody asks without signing in', async () => {
  for (const token of [null, 'nonsense']) {
    const { status, errors } = await send(token, { query: operations.get('Me') });
    assert.deepEqual([status, errors?.[0].extensions.code], [401, 'UNAUTHENTICATED']);
  }
});

test('a wrong password, an unknown account and a service are refused alike', async () => {
  const answers = [await login('ann-cx', 'wrong'), await login('nobody'), await login('svc-bi-union')];
  assert.deepEqual(answers.map((a) => a.status), [401, 401, 401]);
  const texts = await Promise.all(answers.map(async (a) => JSON.stringify(await a.json(), (k, v) => (k === 'requestId' ? undefined : v))));
  assert.equal(new Set(texts).size, 1, texts.join(' '));
});
