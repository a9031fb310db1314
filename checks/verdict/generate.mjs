// Random requests for a schema: valid ones first, and then ones that are changed somewhere, in the document or in its variables.
import {
  Kind, doTypesOverlap, getNamedType, getNullableType, isCompositeType, isEnumType, isInputObjectType, isInterfaceType, isLeafType, isListType,
  isNonNullType, isObjectType, isRequiredArgument, isRequiredInputField, parse, print, visit,
} from 'graphql';

/** Numbers that look like chance, and are the same for the same seed. */
export function dice(seed) {
  let state = seed >>> 0;
  const next = () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = Math.imul(state ^ (state >>> 15), state | 1);
    t = (t + Math.imul(t ^ (t >>> 7), t | 61)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
  const below = (n) => Math.floor(next() * n);
  return { below, one: (list) => list[below(list.length)], chance: (p) => next() < p };
}

const TEXTS = ['', 'a', 'R01', 'naïve ☕ 😀', 'line\nbreak', '"quoted"', '\\', '2026-11-22', 'dep_01J8', '\u0007'];
const DAYS = ['2026-11-22', '1999-02-28', '2024-02-29'];
const NO_DAYS = ['2026-11-31', '31-12-2026', '2026-1-2', '', 'today', '2023-02-29', '+026-01-02'];
const MOMENTS = ['2026-11-22T09:30:00Z', '2026-11-22T09:30:00.123456+01:00'];
const NO_MOMENTS = ['2026-11-22', '', '2016-12-31T23:59:60Z', '2026-13-01T00:00:00Z'];

/** A generator of requests for a schema. `seen` counts the input types of which values were made as variables. */
export function generator(schema, random, seen) {
  const { below, one, chance } = random;
  const composites = Object.values(schema.getTypeMap()).filter((t) => isCompositeType(t) && !t.name.startsWith('__'));
  const objects = composites.filter(isObjectType);
  const roots = [schema.getQueryType(), schema.getMutationType()].flatMap((t) => Object.values(t.getFields()).map((field) => [t, field]));
  let turn = 0;

  /** A right value of JSON for a type. */
  function json(type, depth) {
    if (isNonNullType(type)) return json(type.ofType, depth) ?? json(type.ofType, depth - 9);
    if (depth > -9 && chance(0.1)) return null;
    if (isListType(type)) {
      if (chance(0.1)) return json(type.ofType, depth - 1);
      return Array.from({ length: depth > 0 ? below(3) : 0 }, () => json(type.ofType, depth - 1));
    }
    seen.set(type.name, (seen.get(type.name) ?? 0) + 1);
    if (isEnumType(type)) return one(type.getValues()).name;
    if (isInputObjectType(type)) {
      const fields = Object.values(type.getFields());
      if (type.isOneOf) {
        const field = one(fields);
        return { [field.name]: jsonOrNot(field.type, depth - 1) };
      }
      const given = fields.filter((f) => isRequiredInputField(f) || (depth > 0 && chance(0.4)));
      return Object.fromEntries(given.map((f) => [f.name, json(f.type, depth - 1)]));
    }
    switch (type.name) {
      case 'Int': return one([0, 1, -5, 2147483647, 3.0]);
      case 'Float': return one([0, 1.5, -2, 1e10]);
      case 'Boolean': return chance(0.5);
      case 'ID': return one(['dep_01J8', 'x', 7]);
      case 'Date': return one(DAYS);
      case 'DateTime': return one(MOMENTS);
      case 'JSON': return one([{ a: [1, null, 'x'] }, 'text', 1.5, []]);
      default: return one(TEXTS);
    }
  }
  function jsonOrNot(type, depth) {
    for (;;) {
      const value = json(getNullableType(type), depth);
      if (value !== null) return value;
    }
  }

  /** A value of JSON as a literal of a type. */
  function literal(value, type) {
    const named = type && getNamedType(type);
    if (value === null || value === undefined) return { kind: Kind.NULL };
    if (Array.isArray(value)) return { kind: Kind.LIST, values: value.map((v) => literal(v, type && isListType(getNullableType(type)) ? getNullableType(type).ofType : type)) };
    if (typeof value === 'object') {
      const fields = named && isInputObjectType(named) ? named.getFields() : {};
      return { kind: Kind.OBJECT, fields: Object.entries(value).map(([k, v]) => ({ kind: Kind.OBJECT_FIELD, name: name(k), value: literal(v, fields[k]?.type) })) };
    }
    if (typeof value === 'boolean') return { kind: Kind.BOOLEAN, value };
    if (typeof value === 'number') return Number.isInteger(value) ? { kind: Kind.INT, value: String(value) } : { kind: Kind.FLOAT, value: String(value) };
    if (named && isEnumType(named)) return { kind: Kind.ENUM, value };
    return { kind: Kind.STRING, value, block: chance(0.1) && !value.includes('\u0007') };
  }

  const name = (value) => ({ kind: Kind.NAME, value });
  const typeNode = (type) => isNonNullType(type) ? { kind: Kind.NON_NULL_TYPE, type: typeNode(type.ofType) }
    : isListType(type) ? { kind: Kind.LIST_TYPE, type: typeNode(type.ofType) } : { kind: Kind.NAMED_TYPE, name: name(type.name) };

  function value(type, doc, depth) {
    if (chance(0.35)) {
      const variable = `v${doc.variables.length}`;
      const loose = isNonNullType(type) && chance(0.1);
      const strict = loose ? typeNode(type.ofType) : !isNonNullType(type) && chance(0.2) ? { kind: Kind.NON_NULL_TYPE, type: typeNode(type) } : typeNode(type);
      const definition = { kind: Kind.VARIABLE_DEFINITION, variable: { kind: Kind.VARIABLE, name: name(variable) }, type: strict, directives: [] };
      if (chance(loose ? 0.8 : 0.15)) definition.defaultValue = literal(jsonOrNot(type, 1), type);
      doc.variables.push(definition);
      if (strict.kind === Kind.NON_NULL_TYPE || chance(0.8)) doc.values[variable] = strict.kind === Kind.NON_NULL_TYPE ? jsonOrNot(type, 3) : json(type, 3);
      return { kind: Kind.VARIABLE, name: name(variable) };
    }
    const made = literal(json(type, depth), type);
    // Variables stand inside of objects and lists as well.
    return visit(made, {
      ObjectField(node, _key, _parent, path) {
        if (!chance(0.08)) return undefined;
        const named = getNamedType(type);
        if (path.length > 2 || !isInputObjectType(named)) return undefined;
        const field = named.getFields()[node.name.value];
        return field ? { ...node, value: value(field.type, doc, 1) } : undefined;
      },
    });
  }

  function args(field, doc) {
    const given = field.args.filter((a) => isRequiredArgument(a) || chance(0.3));
    return given.map((a) => ({ kind: Kind.ARGUMENT, name: name(a.name), value: value(a.type, doc, 2) }));
  }

  function directives(doc) {
    if (!chance(0.05)) return [];
    const type = schema.getDirective('skip').args[0].type;
    return [{ kind: Kind.DIRECTIVE, name: name(one(['skip', 'include'])), arguments: [{ kind: Kind.ARGUMENT, name: name('if'), value: value(type, doc, 0) }] }];
  }

  function field(parent, definition, doc, depth) {
    const inside = getNamedType(definition.type);
    return {
      kind: Kind.FIELD, name: name(definition.name), alias: chance(0.3) ? name(`a${below(400)}`) : undefined,
      arguments: args(definition, doc), directives: directives(doc),
      selectionSet: isCompositeType(inside) ? selections(inside, doc, depth - 1) : undefined,
    };
  }

  function selections(type, doc, depth) {
    const chosen = [];
    const fields = type.getFields ? Object.values(type.getFields()) : [];
    const open = depth > 0 ? fields : fields.filter((f) => isLeafType(getNamedType(f.type)) && !f.args.some(isRequiredArgument));
    for (let n = 1 + below(3); n > 0; n -= 1) {
      if (open.length === 0 || chance(0.1)) {
        chosen.push({ kind: Kind.FIELD, name: name('__typename'), alias: chance(0.2) ? name(`a${below(20)}`) : undefined, arguments: [], directives: [] });
      } else if (chance(0.1) && depth > 0) {
        const near = composites.filter((other) => doTypesOverlap(schema, type, other));
        const possible = chance(0.3) ? one(near) : isObjectType(type) ? type : one(schema.getPossibleTypes(type));
        const on = chance(0.3) ? undefined : { kind: Kind.NAMED_TYPE, name: name(possible.name) };
        const set = selections(on ? possible : type, doc, depth - 1);
        if (on && chance(0.5)) {
          const fragment = `F${doc.fragments.length}`;
          doc.fragments.push({ kind: Kind.FRAGMENT_DEFINITION, name: name(fragment), typeCondition: on, directives: [], selectionSet: set });
          chosen.push({ kind: Kind.FRAGMENT_SPREAD, name: name(fragment), directives: directives(doc) });
        } else {
          chosen.push({ kind: Kind.INLINE_FRAGMENT, typeCondition: on, directives: directives(doc), selectionSet: set });
        }
      } else {
        chosen.push(field(type, one(open), doc, depth));
      }
    }
    return { kind: Kind.SELECTION_SET, selections: chosen };
  }

  /** A request that is valid most of the time. */
  function request() {
    const doc = { variables: [], fragments: [], values: {} };
    const [root, definition] = roots[turn++ % roots.length];
    const set = { kind: Kind.SELECTION_SET, selections: [field(root, definition, doc, 3)] };
    if (chance(0.3)) set.selections.push(field(root, one(Object.values(root.getFields())), doc, 2));
    const operation = {
      kind: Kind.OPERATION_DEFINITION, operation: root === schema.getQueryType() ? 'query' : 'mutation',
      name: chance(0.7) ? name('Q') : undefined, variableDefinitions: doc.variables, directives: [], selectionSet: set,
    };
    const ast = { kind: Kind.DOCUMENT, definitions: [operation, ...doc.fragments] };
    return { query: print(ast), variables: doc.values, operation: operation.name && chance(0.3) ? 'Q' : undefined };
  }

  const nodes = (ast, kind) => {
    const found = [];
    visit(ast, { enter(node, key, parent) { if (node.kind === kind) found.push([node, parent, key]); } });
    return found;
  };
  const anyLiteral = () => literal(one([null, 1, -3000000000, 1.5, true, one(TEXTS), 'RED', [], [1, 'a'], {}, { id: 'x', key: null }, one(DAYS), one(NO_DAYS), one(MOMENTS), one(NO_MOMENTS)]));
  const changeValue = (ast) => {
    const places = [...nodes(ast, Kind.ARGUMENT), ...nodes(ast, Kind.OBJECT_FIELD)];
    if (places.length > 0) {
      const [place] = one(places);
      place.value = chance(0.15) ? { kind: Kind.ENUM, value: one(['MET', 'FRONTSTAGE', 'nope', 'LEAD']) } : anyLiteral();
    }
  };
  const repeat = (list) => { if (list?.length) list.push(structuredClone(one(list))); };

  /** Changes of a document, most of which break a rule. */
  const changes = [
    (ast) => { ast.definitions.push(...parse('type Extra { a: Int }').definitions); },
    (ast) => { ast.definitions.push(structuredClone(ast.definitions[0])); },
    (ast) => { ast.definitions.push(...parse('{ __typename }').definitions); },
    (ast) => { const [v] = one(nodes(ast, Kind.NAMED_TYPE)) ?? []; if (v) v.name.value = one(['Nope', 'Kpi', 'Int', 'String', 'KpiCreateInput', '__Type', 'ID', 'Direction']); },
    (ast) => { const [f] = one(nodes(ast, Kind.FIELD)); f.selectionSet = f.selectionSet ? undefined : { kind: Kind.SELECTION_SET, selections: [{ kind: Kind.FIELD, name: name('id'), arguments: [], directives: [] }] }; },
    (ast) => { const [f] = one(nodes(ast, Kind.FIELD)); f.name.value = one(['id', 'key', 'name', 'nope', '__type', '__schema', '__typename', 'nodes']); },
    (ast) => { const fragments = nodes(ast, Kind.FRAGMENT_DEFINITION); if (fragments.length) ast.definitions.push(structuredClone(one(fragments)[0])); else ast.definitions.push(...parse('fragment U on Kpi { id } fragment U on Kpi { id }').definitions); },
    (ast) => { const [s] = one(nodes(ast, Kind.SELECTION_SET)); s.selections.push({ kind: Kind.FRAGMENT_SPREAD, name: name(one(['F0', 'F1', 'Nope'])), directives: [] }); },
    (ast) => { ast.definitions.push({ kind: Kind.FRAGMENT_DEFINITION, name: name('U'), typeCondition: { kind: Kind.NAMED_TYPE, name: name(one(composites).name) }, directives: [], selectionSet: { kind: Kind.SELECTION_SET, selections: [{ kind: Kind.FIELD, name: name('__typename'), arguments: [], directives: [] }] } }); },
    (ast) => { const [s] = one(nodes(ast, Kind.SELECTION_SET)); s.selections.push({ kind: Kind.INLINE_FRAGMENT, typeCondition: { kind: Kind.NAMED_TYPE, name: name(one(chance(0.5) ? objects : composites).name) }, directives: [], selectionSet: { kind: Kind.SELECTION_SET, selections: [{ kind: Kind.FIELD, name: name('__typename'), arguments: [], directives: [] }] } }); },
    (ast) => { const fragments = nodes(ast, Kind.FRAGMENT_DEFINITION); if (fragments.length) one(fragments)[0].selectionSet.selections.push({ kind: Kind.FRAGMENT_SPREAD, name: name(one(fragments)[0].name.value), directives: [] }); else ast.definitions.push(...parse('fragment C on Query { ...C }').definitions); },
    (ast) => repeat(ast.definitions[0].variableDefinitions),
    (ast) => { const list = ast.definitions[0].variableDefinitions; if (list?.length) list.splice(below(list.length), 1); },
    (ast) => { ast.definitions[0].variableDefinitions?.push({ kind: Kind.VARIABLE_DEFINITION, variable: { kind: Kind.VARIABLE, name: name('unused') }, type: typeNode(one([schema.getType('Int'), objects[0], schema.getType('Date')])), directives: [] }); },
    (ast) => { const [f] = one([...nodes(ast, Kind.FIELD), ...nodes(ast, Kind.OPERATION_DEFINITION), ...nodes(ast, Kind.VARIABLE_DEFINITION), ...nodes(ast, Kind.FRAGMENT_SPREAD)]); f.directives.push({ kind: Kind.DIRECTIVE, name: name(one(['nope', 'skip', 'include', 'oneOf', 'specifiedBy', 'deprecated'])), arguments: chance(0.7) ? [{ kind: Kind.ARGUMENT, name: name('if'), value: { kind: Kind.BOOLEAN, value: true } }] : [] }); },
    (ast) => { const [f] = one(nodes(ast, Kind.FIELD)); const d = { kind: Kind.DIRECTIVE, name: name('skip'), arguments: [{ kind: Kind.ARGUMENT, name: name('if'), value: { kind: Kind.BOOLEAN, value: false } }] }; f.directives.push(d, structuredClone(d)); },
    (ast) => { const a = nodes(ast, Kind.ARGUMENT); if (a.length) one(a)[0].name.value = one(['id', 'first', 'filter', 'nope', 'input']); },
    (ast) => { const withArguments = nodes(ast, Kind.FIELD).filter(([f]) => f.arguments.length); if (withArguments.length) repeat(one(withArguments)[0].arguments); },
    (ast) => { const withArguments = nodes(ast, Kind.FIELD).filter(([f]) => f.arguments.length); if (withArguments.length) { const list = one(withArguments)[0].arguments; list.splice(below(list.length), 1); } },
    changeValue, changeValue, changeValue,
    (ast) => { const list = ast.definitions[0].variableDefinitions; if (list?.length) { const v = one(list); v.type = v.type.kind === Kind.NON_NULL_TYPE ? v.type.type : chance(0.5) ? { kind: Kind.NON_NULL_TYPE, type: v.type } : { kind: Kind.LIST_TYPE, type: v.type }; } },
    (ast) => { const list = ast.definitions[0].variableDefinitions; if (list?.length) { const v = one(list); v.defaultValue = anyLiteral(); } },
    (ast) => { const fields = nodes(ast, Kind.FIELD); const [f] = one(fields); const [s] = one(nodes(ast, Kind.SELECTION_SET)); const copy = structuredClone(one(fields)[0]); copy.alias = name((f.alias ?? f.name).value); s.selections.push(copy); },
    (ast) => { const fields = nodes(ast, Kind.FIELD).filter(([f]) => f.arguments.length); if (fields.length) { const [f, parent] = one(fields); const copy = structuredClone(f); if (chance(0.5)) changeValue(copy); if (Array.isArray(parent)) parent.push(copy); } },
    (ast) => { const o = nodes(ast, Kind.OBJECT); if (o.length) repeat(one(o)[0].fields); },
    (ast) => { const o = nodes(ast, Kind.OBJECT); if (o.length) { const list = one(o)[0].fields; if (list.length) list.splice(below(list.length), 1); } },
    (ast) => { const o = nodes(ast, Kind.OBJECT); if (o.length) one(o)[0].fields.push({ kind: Kind.OBJECT_FIELD, name: name(one(['nope', 'id', 'key', 'name'])), value: anyLiteral() }); },
    (ast) => { const [n] = one(nodes(ast, Kind.NAMED_TYPE)) ?? []; if (n) n.name.value = one(['Nope', 'nope', 'Undefined']); else ast.definitions.push(...parse('fragment N on Nope { id }').definitions); },
    (ast) => { const [s] = one(nodes(ast, Kind.SELECTION_SET)); s.selections.push(...parse(`{ ... on ${one(['Date', 'Direction', 'KpiCreateInput', 'String', 'Nope'])} { id } }`).definitions[0].selectionSet.selections); },
    (ast) => { ast.definitions[0].selectionSet.selections.push(...parse('{ __schema { types { fields { type { fields { type { interfaces { name } } } } } } } }').definitions[0].selectionSet.selections); },
    (ast) => { if (ast.definitions[0].name) ast.definitions.push(...parse(`query R { ${one(['__typename', '__type(name: "Kpi") { fields(includeDeprecated: true) { name } }', '__schema { types { fields { type { fields { type { fields { name } } } } } } }', 'nope'])} }`).definitions); },
    (ast) => { ast.definitions[0].operation = one(['query', 'mutation', 'subscription']); },
  ];

  /** Changes of one value of JSON, anywhere in it. */
  function changedJson(value) {
    if (value !== null && typeof value === 'object' && Object.keys(value).length > 0 && chance(0.75)) {
      const key = one(Object.keys(value));
      const copy = structuredClone(value);
      if (chance(0.12)) delete copy[key];
      else if (chance(0.12) && !Array.isArray(copy)) copy[one(['nope', 'id', 'key', 'toString', '__proto'])] = 1;
      else copy[key] = changedJson(copy[key]);
      return copy;
    }
    return one([null, 0, 1.0, 1.5, 9007199254740991, -2147483649, true, '', 'x', [], [null], [[1]], {}, { nope: 1 }, { id: 'x' }, { key: 'R1', id: 'x' }, one(NO_DAYS), one(DAYS), one(NO_MOMENTS), one(MOMENTS), 'MET', 'LEAD', 'SUM']);
  }

  const MARKS = ['{', '}', '(', ')', '[', ']', '$', '@', '!', ':', '=', '...', '"', '"""', '#', ',', '|', '&', '.', '-', '0', '01', '1.', '1e', '1.5e3', '"\\uD83D\\uDE00"', '"\\uD83D"', '"\\u{1F600}"', '"\\q"', ' on ', ' null ', ' true ', '\ufeff', '\n', '\r', 'é', "'", '"a"', '"""a\n  b"""', 'query', 'fragment', 'x', '0xF', '1a'];
  function changedText(text) {
    const at = below(text.length + 1);
    const cut = chance(0.4) ? text.slice(0, at) + text.slice(at + 1 + below(3)) : text.slice(0, at) + one(MARKS) + text.slice(at);
    return cut.toWellFormed();
  }

  /** A request: as it was made, or changed somewhere. */
  return function next() {
    const made = request();
    if (chance(0.2)) return made;
    if (chance(0.25)) {
      for (let n = 1 + below(2); n > 0; n -= 1) made.variables = changedJson(made.variables);
      if (made.variables === null || typeof made.variables !== 'object' || Array.isArray(made.variables)) made.variables = {};
      return made;
    }
    if (chance(0.2)) return { ...made, query: changedText(chance(0.3) ? changedText(made.query) : made.query) };
    if (chance(0.03)) return { ...made, operation: one(['Q', 'Nope']) };
    const ast = structuredClone(parse(made.query, { noLocation: true }));
    for (let n = 1 + below(2); n > 0; n -= 1) one(changes)(ast);
    return { ...made, query: print(ast) };
  };
}
