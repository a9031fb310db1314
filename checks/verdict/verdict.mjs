// Asks graphql-js and the server's own guard of the same random requests whether they may run, and ends with an error where the two differ. Arguments: how many, and a seed.
import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { GraphQLBoolean, GraphQLError, GraphQLNonNull, Kind, TypeInfo, buildSchema, getNamedType, getVariableValues, introspectionTypes, isInputObjectType, isNonNullType, isObjectType, parse, specifiedRules, validate, visit, visitWithTypeInfo } from 'graphql';
import { dice, generator } from './generate.mjs';

const [many = 5000, seed = 1] = process.argv.slice(2).map(Number);
const root = new URL('../../', import.meta.url);
const schema = buildSchema(readFileSync(new URL('schema.graphql', root), 'utf8'));

// The specification of 2025 says `includeDeprecated: Boolean! = false`, as the server does; this graphql-js says `Boolean = false`.
for (const type of introspectionTypes.filter(isObjectType))
  for (const field of Object.values(type.getFields()))
    for (const argument of field.args) argument.type = new GraphQLNonNull(GraphQLBoolean);

/** Our own scalars, in the words of their descriptions. */
function scalar(name, takes) {
  const type = schema.getType(name);
  type.parseValue = (value) => {
    if (typeof value !== 'string' || !takes(value)) throw new GraphQLError(`no ${name}`);
    return value;
  };
  type.parseLiteral = (node) => {
    if (node.kind !== Kind.STRING) throw new GraphQLError(`no ${name}`);
    return type.parseValue(node.value);
  };
}
const isDay = (text) => /^\d{4}-\d\d-\d\d$/.test(text) && !Number.isNaN(Date.parse(text)) && new Date(text).toISOString().startsWith(text);
scalar('Date', isDay);
scalar('DateTime', (text) => /^\d{4}-\d\d-\d\dT\d\d:\d\d:[0-5]\d(\.\d+)?(Z|[+-]\d\d:\d\d)$/.test(text) && isDay(text.slice(0, 10)) && !Number.isNaN(Date.parse(text)));

const failures = new Map(specifiedRules.map((rule) => [rule.name, 0]));
/** The rules, each counting the documents that it refuses. */
const rules = specifiedRules.map((rule) => (context) => {
  let counted = false;
  const counting = Object.create(context, {
    reportError: {
      value: (error) => {
        if (!counted) failures.set(rule.name, failures.get(rule.name) + 1);
        counted = true;
        context.reportError(error);
      },
    },
  });
  return rule(counting);
});

/** Why graphql-js would not run a request; nothing where it would. */
function refusal({ query, variables, operation }) {
  let document;
  try {
    document = parse(query);
  } catch (error) {
    return [`syntax: ${error.message}`];
  }
  const faults = validate(schema, document, rules, { maxErrors: 100 });
  if (faults.length > 0) return faults.map((fault) => fault.message);
  const operations = document.definitions.filter((d) => d.kind === Kind.OPERATION_DEFINITION);
  const chosen = operation === undefined ? operations : operations.filter((d) => d.name?.value === operation);
  if (chosen.length !== 1) return ['which operation?'];
  const { errors, coerced } = getVariableValues(schema, chosen[0].variableDefinitions ?? [], variables, { maxErrors: 100 });
  return errors ? errors.map((error) => error.message) : nullsInNeed(document, chosen[0], coerced);
}

/** Nulls that graphql-js lets through, to make each an error of the field that they are an input of; the guard tells them before anything runs. */
function nullsInNeed(document, operation, values) {
  const found = [];
  const typeInfo = new TypeInfo(schema);
  const seen = new Set();
  const look = (definition) => visit(definition, visitWithTypeInfo(typeInfo, {
    FragmentSpread(node) {
      const fragment = document.definitions.find((d) => d.kind === Kind.FRAGMENT_DEFINITION && d.name.value === node.name.value);
      if (!seen.has(fragment)) waiting.push(fragment);
      seen.add(fragment);
    },
    VariableDefinition: () => false,
    Variable(node, _key, parent) {
      const value = values[node.name.value];
      const inOneOf = parent.kind === Kind.OBJECT_FIELD && getNamedType(typeInfo.getParentInputType())?.isOneOf;
      if ((value === null && isNonNullType(typeInfo.getInputType())) || (inOneOf && (value ?? null) === null)) found.push(`null at $${node.name.value}`);
    },
  }));
  const waiting = [operation];
  while (waiting.length > 0) look(waiting.pop());
  return found;
}

const guard = spawn(new URL('target/debug/examples/verdict', root).pathname, { stdio: ['pipe', 'pipe', 'inherit'] });
const answers = createInterface({ input: guard.stdout })[Symbol.asyncIterator]();
const seen = new Map();
const next = generator(schema, dice(seed), seen);
const met = { run: 0, refused: 0, limited: 0 };
const differ = [];
const AT_ONCE = 200;
for (let done = 0; done < many && differ.length < 20; done += AT_ONCE) {
  const asked = Array.from({ length: Math.min(AT_ONCE, many - done) }, next);
  guard.stdin.write(asked.map((request) => `${JSON.stringify(request)}\n`).join(''));
  for (const request of asked) {
    const { value: ours } = await answers.next();
    const theirs = refusal(request);
    if (/^Too(Complex|Large)/.test(ours) && theirs.length === 0) met.limited += 1;
    else if ((ours === 'ok') !== (theirs.length === 0)) differ.push({ request, ours, theirs });
    else met[ours === 'ok' ? 'run' : 'refused'] += 1;
  }
}
guard.stdin.end();
for (const { request, ours, theirs } of differ) console.error(`\n${request.query}\n${JSON.stringify(request.variables)} ${request.operation ?? ''}\n  guard: ${ours}\n  graphql-js: ${theirs.join(' | ') || 'ok'}`);
const rare = [...failures].filter(([rule, times]) => times < many / 1000 && rule !== 'SingleFieldSubscriptionsRule');
/** The types of inputs that some field takes. */
const taken = new Set();
function take(type) {
  const named = getNamedType(type);
  if (taken.has(named.name)) return;
  taken.add(named.name);
  if (isInputObjectType(named)) Object.values(named.getFields()).forEach((field) => take(field.type));
}
for (const type of Object.values(schema.getTypeMap())) {
  if (isObjectType(type) && !type.name.startsWith('__')) Object.values(type.getFields()).forEach((field) => field.args.forEach((arg) => take(arg.type)));
}
const missing = [...taken].filter((name) => !seen.has(name));
console.log(`seed ${seed}: ${many} requests: ${met.run} run, ${met.refused} refused by both, ${met.limited} beyond our limits, ${differ.length} differ`);
console.log([...failures].map(([rule, times]) => `${rule} ${times}`).join(', '));
console.log(`input types: ${seen.size}, the rarest ${Math.min(...seen.values())} times${missing.length ? `; never: ${missing.join(', ')}` : ''}`);
if (differ.length > 0 || rare.length > 0 || (many >= 100_000 && missing.length > 0)) {
  console.error(rare.map(([rule, times]) => `${rule} failed ${times} times only`).join('\n'));
  process.exitCode = 1;
}
