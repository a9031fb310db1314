//! The types of a schema, as far as documents and their variables are held against them.

use std::collections::{BTreeSet, HashMap};

use async_graphql::{
    Name,
    parser::{
        parse_schema,
        types::{
            BaseType, DirectiveLocation, InputValueDefinition, OperationType, Type, TypeKind,
            TypeSystemDefinition,
        },
    },
};
use async_graphql_value::ConstValue;

/// Whether a scalar takes a value, or a sentence that says what it takes.
pub type ScalarParser = fn(&ConstValue) -> Result<(), String>;

/// The types of a schema.
#[derive(Debug)]
pub struct SchemaTypes {
    types: HashMap<Name, NamedType>,
    /// `__typename`, and those by which a schema tells of itself.
    meta_fields: HashMap<Name, FieldType>,
    directives: HashMap<Name, DirectiveType>,
    query: Option<Name>,
    mutation: Option<Name>,
    subscription: Option<Name>,
}

/// A type, by its name.
#[derive(Debug)]
pub(crate) enum NamedType {
    Scalar(ScalarParser),
    Enum(Vec<Name>),
    Input(InputType),
    Object(HashMap<Name, FieldType>),
    Interface {
        fields: HashMap<Name, FieldType>,
        objects: BTreeSet<Name>,
    },
    Union(BTreeSet<Name>),
}

#[derive(Debug)]
pub(crate) struct InputType {
    /// In the order of the schema.
    pub fields: Vec<InputField>,
    /// Whether exactly one of the fields is given.
    pub is_one_of: bool,
}

impl InputType {
    pub(crate) fn field(&self, name: &str) -> Option<&InputField> {
        self.fields.iter().find(|field| field.name == name)
    }
}

/// An argument, or a field of an input object.
#[derive(Debug)]
pub(crate) struct InputField {
    pub name: Name,
    pub ty: Type,
    pub has_default: bool,
}

impl InputField {
    pub(crate) fn is_required(&self) -> bool {
        !self.ty.nullable && !self.has_default
    }
}

#[derive(Debug)]
pub(crate) struct FieldType {
    pub arguments: Vec<InputField>,
    pub ty: Type,
}

#[derive(Debug)]
pub(crate) struct DirectiveType {
    pub arguments: Vec<InputField>,
    pub locations: Vec<DirectiveLocation>,
}

/// The types by which a schema tells of itself, as async-graphql serves them.
const INTROSPECTION: &str = r"
type __Schema { description: String types: [__Type!]! queryType: __Type! mutationType: __Type
    subscriptionType: __Type directives: [__Directive!]! }
type __Type { kind: __TypeKind! name: String description: String specifiedByURL: String
    fields(includeDeprecated: Boolean! = false): [__Field!] interfaces: [__Type!] possibleTypes: [__Type!]
    enumValues(includeDeprecated: Boolean! = false): [__EnumValue!]
    inputFields(includeDeprecated: Boolean! = false): [__InputValue!] ofType: __Type isOneOf: Boolean }
type __Field { name: String! description: String args(includeDeprecated: Boolean! = false): [__InputValue!]!
    type: __Type! isDeprecated: Boolean! deprecationReason: String }
type __InputValue { name: String! description: String type: __Type! defaultValue: String isDeprecated: Boolean!
    deprecationReason: String }
type __EnumValue { name: String! description: String isDeprecated: Boolean! deprecationReason: String }
type __Directive { name: String! description: String isRepeatable: Boolean! locations: [__DirectiveLocation!]!
    args(includeDeprecated: Boolean! = false): [__InputValue!]! }
enum __TypeKind { SCALAR OBJECT INTERFACE UNION ENUM INPUT_OBJECT LIST NON_NULL }
enum __DirectiveLocation { QUERY MUTATION SUBSCRIPTION FIELD FRAGMENT_DEFINITION FRAGMENT_SPREAD INLINE_FRAGMENT
    VARIABLE_DEFINITION SCHEMA SCALAR OBJECT FIELD_DEFINITION ARGUMENT_DEFINITION INTERFACE UNION ENUM ENUM_VALUE
    INPUT_OBJECT INPUT_FIELD_DEFINITION }
type __MetaFields { __typename: String! __schema: __Schema! __type(name: String!): __Type }
";

impl SchemaTypes {
    /// Reads a schema as it is printed, with a parser for each of its own scalars. No directive may be given twice at one
    /// place: the parser of schemas does not tell which are repeatable.
    ///
    /// # Errors
    /// What cannot be read of it, or the name of a scalar without a parser.
    pub fn parse(sdl: &str, scalars: &[(&str, ScalarParser)]) -> Result<Self, String> {
        let mut schema = Self {
            types: HashMap::new(),
            meta_fields: HashMap::new(),
            directives: HashMap::new(),
            query: None,
            mutation: None,
            subscription: None,
        };
        for (name, parser) in BUILT_IN_SCALARS.iter().chain(scalars) {
            let scalar = NamedType::Scalar(*parser);
            schema.types.insert(Name::new(name), scalar);
        }
        let mut implementing: HashMap<Name, BTreeSet<Name>> = HashMap::new();
        for text in [INTROSPECTION, sdl] {
            let read = parse_schema(text).map_err(|error| error.to_string())?;
            for definition in read.definitions {
                schema.add_definition(definition, &mut implementing)?;
            }
        }
        if let Some(NamedType::Object(fields)) = schema.types.remove(META_FIELDS) {
            schema.meta_fields = fields;
        }
        for (interface, objects) in implementing {
            if let Some(NamedType::Interface { objects: known, .. }) =
                schema.types.get_mut(&interface)
            {
                known.extend(objects);
            }
        }
        Ok(schema)
    }

    fn add_definition(
        &mut self,
        definition: TypeSystemDefinition,
        implementing: &mut HashMap<Name, BTreeSet<Name>>,
    ) -> Result<(), String> {
        match definition {
            TypeSystemDefinition::Schema(roots) => {
                let roots = roots.node;
                self.query = roots.query.map(|name| name.node);
                self.mutation = roots.mutation.map(|name| name.node);
                self.subscription = roots.subscription.map(|name| name.node);
            }
            TypeSystemDefinition::Directive(directive) => {
                let directive = directive.node;
                let known = DirectiveType {
                    arguments: directive
                        .arguments
                        .into_iter()
                        .map(|one| input_field(one.node))
                        .collect(),
                    locations: directive
                        .locations
                        .into_iter()
                        .map(|one| one.node)
                        .collect(),
                };
                self.directives.insert(directive.name.node, known);
            }
            TypeSystemDefinition::Type(definition) => {
                let definition = definition.node;
                let name = definition.name.node;
                let is_one_of = definition
                    .directives
                    .iter()
                    .any(|directive| directive.node.name.node == "oneOf");
                let ty = match definition.kind {
                    TypeKind::Scalar if self.types.contains_key(&name) => return Ok(()),
                    TypeKind::Scalar => return Err(format!("The scalar {name} has no parser.")),
                    TypeKind::Enum(definition) => {
                        let values = definition.values.into_iter();
                        NamedType::Enum(values.map(|value| value.node.value.node).collect())
                    }
                    TypeKind::InputObject(definition) => {
                        let fields = definition.fields.into_iter();
                        NamedType::Input(InputType {
                            fields: fields.map(|field| input_field(field.node)).collect(),
                            is_one_of,
                        })
                    }
                    TypeKind::Union(definition) => {
                        let members = definition.members.into_iter();
                        NamedType::Union(members.map(|member| member.node).collect())
                    }
                    TypeKind::Interface(definition) => NamedType::Interface {
                        fields: field_types(definition.fields),
                        objects: BTreeSet::new(),
                    },
                    TypeKind::Object(definition) => {
                        for interface in definition.implements {
                            let objects = implementing.entry(interface.node).or_default();
                            objects.insert(name.clone());
                        }
                        NamedType::Object(field_types(definition.fields))
                    }
                };
                self.types.insert(name, ty);
            }
        }
        Ok(())
    }

    pub(crate) fn get(&self, name: &str) -> Option<&NamedType> {
        self.types.get(name)
    }

    /// The type and its name as the schema has it.
    pub(crate) fn get_entry(&self, name: &str) -> Option<(&Name, &NamedType)> {
        self.types.get_key_value(name)
    }

    pub(crate) fn directive(&self, name: &str) -> Option<&DirectiveType> {
        self.directives.get(name)
    }

    /// The type at which operations of a kind begin.
    pub(crate) fn root(&self, kind: OperationType) -> Option<&Name> {
        match kind {
            OperationType::Query => self.query.as_ref(),
            OperationType::Mutation => self.mutation.as_ref(),
            OperationType::Subscription => self.subscription.as_ref(),
        }
    }

    /// A field of a type, that of introspection included.
    pub(crate) fn field(&self, parent: &str, name: &str) -> Option<&FieldType> {
        let ty = self.get(parent)?;
        let meta = match name {
            "__typename" => ty.is_composite(),
            "__schema" | "__type" => self.query.as_ref().is_some_and(|query| query == parent),
            _ => false,
        };
        match ty {
            _ if meta => self.meta_fields.get(name),
            NamedType::Object(fields) | NamedType::Interface { fields, .. } => fields.get(name),
            _ => None,
        }
    }

    /// Whether an object can be of both types.
    pub(crate) fn do_overlap(&self, one: &str, other: &str) -> bool {
        match (self.objects_of(one), self.objects_of(other)) {
            _ if one == other => true,
            (Some(one), Some(other)) => one.iter().any(|object| other.contains(object)),
            (Some(objects), None) => objects.contains(other),
            (None, Some(objects)) => objects.contains(one),
            (None, None) => false,
        }
    }

    /// The objects of an interface or a union.
    fn objects_of(&self, name: &str) -> Option<&BTreeSet<Name>> {
        match self.get(name)? {
            NamedType::Interface { objects, .. } | NamedType::Union(objects) => Some(objects),
            _ => None,
        }
    }

    /// The members of a union.
    pub(crate) fn members(&self, name: &str) -> Option<&BTreeSet<Name>> {
        match self.get(name)? {
            NamedType::Union(members) => Some(members),
            _ => None,
        }
    }
}

const META_FIELDS: &str = "__MetaFields";

impl NamedType {
    pub(crate) fn is_composite(&self) -> bool {
        matches!(
            self,
            Self::Object(_) | Self::Interface { .. } | Self::Union(_)
        )
    }

    pub(crate) fn is_leaf(&self) -> bool {
        matches!(self, Self::Scalar(_) | Self::Enum(_))
    }

    pub(crate) fn is_input(&self) -> bool {
        self.is_leaf() || matches!(self, Self::Input(_))
    }
}

/// The name of the type inside of lists.
pub(crate) fn named(ty: &Type) -> &Name {
    match &ty.base {
        BaseType::Named(name) => name,
        BaseType::List(item) => named(item),
    }
}

fn field_types(
    fields: Vec<async_graphql::Positioned<async_graphql::parser::types::FieldDefinition>>,
) -> HashMap<Name, FieldType> {
    let fields = fields.into_iter().map(|field| {
        let field = field.node;
        let arguments = field.arguments.into_iter();
        let known = FieldType {
            arguments: arguments
                .map(|argument| input_field(argument.node))
                .collect(),
            ty: field.ty.node,
        };
        (field.name.node, known)
    });
    fields.collect()
}

fn input_field(definition: InputValueDefinition) -> InputField {
    InputField {
        name: definition.name.node,
        ty: definition.ty.node,
        has_default: definition.default_value.is_some(),
    }
}

const BUILT_IN_SCALARS: [(&str, ScalarParser); 5] = [
    ("Int", |value| {
        let is_whole = matches!(value, ConstValue::Number(number)
            if number.as_i64().is_some_and(|number| i32::try_from(number).is_ok()));
        told(is_whole, "A whole number of 32 bits is expected.")
    }),
    ("Float", |value| {
        told(
            matches!(value, ConstValue::Number(_)),
            "A number is expected.",
        )
    }),
    ("String", |value| {
        told(
            matches!(value, ConstValue::String(_)),
            "A text is expected.",
        )
    }),
    ("Boolean", |value| {
        told(
            matches!(value, ConstValue::Boolean(_)),
            "`true` or `false` is expected.",
        )
    }),
    ("ID", |value| {
        let is_id = match value {
            ConstValue::Number(number) => number.as_i64().is_some(),
            value => matches!(value, ConstValue::String(_)),
        };
        told(is_id, "An id is expected, as a text.")
    }),
];

fn told(is_right: bool, sentence: &str) -> Result<(), String> {
    match is_right {
        true => Ok(()),
        false => Err(sentence.to_owned()),
    }
}
