//! The operation that is to run, and the fragments, as async-graphql's own tree.

use std::collections::HashMap;

use async_graphql::{
    Name, Pos, Positioned,
    parser::types::{
        BaseType, Directive as DirectiveNode, Field as FieldNode, FragmentDefinition,
        FragmentSpread, InlineFragment, OperationDefinition, Selection as SelectionNode,
        SelectionSet, Type, TypeCondition, VariableDefinition,
    },
};
use async_graphql_value::{ConstValue, Number, Value};

use crate::{
    ast::{
        Argument, Directive, Field, Fragment, LiteralNode, LiteralValue, Operation, ParsedDocument,
        Selection, SelectionList, TypeReference, Variable, Word,
    },
    rejection::{Rejection, RejectionKind},
    schema::{NamedType, SchemaTypes, named},
    validate::FragmentGraph,
};

/// The fragments of an operation, by name.
pub(crate) type Fragments = HashMap<Name, Positioned<FragmentDefinition>>;

/// An operation with the fragments that it reaches.
pub(crate) struct ConvertedOperation {
    pub operation: Positioned<OperationDefinition>,
    pub fragments: Fragments,
}

/// Most selections that an operation is converted to: those of unions are written out.
const MOST_SELECTIONS: usize = 20_000;

/// Converts an operation whose fragments go in no circles.
///
/// # Errors
/// Written out, it has too many selections.
pub(crate) fn convert_operation(
    (at, operation): (usize, &Operation<'_>),
    document: &ParsedDocument<'_>,
    graph: &FragmentGraph<'_>,
    schema: &SchemaTypes,
) -> Result<ConvertedOperation, Rejection> {
    let mut converter = SelectionConverter {
        schema,
        fragments: graph.by_name(),
        left: MOST_SELECTIONS,
    };
    let root = schema.root(operation.kind).map(Name::as_str);
    let node = OperationDefinition {
        ty: operation.kind,
        variable_definitions: operation.variables.iter().map(convert_variable).collect(),
        directives: convert_directives(&operation.directives),
        selection_set: converter.selections(&operation.selections, root)?,
    };
    let reached = graph.reach_of_operation(at);
    let mut fragments = Fragments::new();
    for fragment in &document.fragments {
        // Those on unions are written out where they are spread.
        if !reached.contains(fragment.name.text) || schema.members(fragment.on.text).is_some() {
            continue;
        }
        let node = FragmentDefinition {
            type_condition: convert_condition(fragment.on),
            directives: convert_directives(&fragment.directives),
            selection_set: converter.selections(&fragment.selections, Some(fragment.on.text))?,
        };
        let name = Name::new(fragment.name.text);
        fragments.insert(name, Positioned::new(node, fragment.pos));
    }
    Ok(ConvertedOperation {
        operation: Positioned::new(node, operation.pos),
        fragments,
    })
}

/// Converts selections beside the types that they are of. async-graphql knows of no object which unions it is in, so a
/// fragment on a union is written out: for each object of the union where it could be any, and without a condition
/// where the object is known.
struct SelectionConverter<'d> {
    schema: &'d SchemaTypes,
    fragments: HashMap<&'d str, &'d Fragment<'d>>,
    /// How many selections may follow.
    left: usize,
}

impl<'d> SelectionConverter<'d> {
    fn selections(
        &mut self,
        selections: &SelectionList<'_>,
        parent: Option<&str>,
    ) -> Result<Positioned<SelectionSet>, Rejection> {
        let mut items = Vec::with_capacity(selections.items.len());
        for selection in &selections.items {
            let message = "The operation has too many selections, with its fragments written out.";
            let left = self.left.checked_sub(1);
            self.left = left.ok_or_else(|| Rejection::new(RejectionKind::TooComplex, message))?;
            items.push(self.selection(selection, parent)?);
        }
        Ok(Positioned::new(SelectionSet { items }, selections.pos))
    }

    fn selection(
        &mut self,
        selection: &Selection<'_>,
        parent: Option<&str>,
    ) -> Result<Positioned<SelectionNode>, Rejection> {
        match selection {
            Selection::Field(field) => {
                let pos = field.alias.unwrap_or(field.name).pos;
                let node = Positioned::new(self.field(field, parent)?, pos);
                Ok(Positioned::new(SelectionNode::Field(node), pos))
            }
            Selection::Spread { name, directives } => {
                let fragment = self.fragments.get(name.text).copied();
                if let Some(fragment) =
                    fragment.filter(|one| self.schema.members(one.on.text).is_some())
                {
                    let (on, inside) = (Some(fragment.on), &fragment.selections);
                    return self.inline((name.pos, on, directives.as_slice(), inside), parent);
                }
                let node = FragmentSpread {
                    fragment_name: convert_name(*name),
                    directives: convert_directives(directives),
                };
                let node = Positioned::new(node, name.pos);
                Ok(Positioned::new(
                    SelectionNode::FragmentSpread(node),
                    name.pos,
                ))
            }
            Selection::Inline {
                pos,
                on,
                directives,
                selections,
            } => self.inline((*pos, *on, directives.as_slice(), selections), parent),
        }
    }

    fn inline(
        &mut self,
        (pos, on, directives, selections): (
            Pos,
            Option<Word<'_>>,
            &[Directive<'_>],
            &SelectionList<'_>,
        ),
        parent: Option<&str>,
    ) -> Result<Positioned<SelectionNode>, Rejection> {
        let directives = convert_directives(directives);
        let members = on.and_then(|on| self.schema.members(on.text));
        let is_object = parent
            .is_some_and(|parent| matches!(self.schema.get(parent), Some(NamedType::Object(_))));
        let (type_condition, selection_set) = match (members, on) {
            (Some(_), _) if is_object => (None, self.selections(selections, parent)?),
            (Some(members), _) => {
                let mut items = Vec::with_capacity(members.len());
                for member in members {
                    let condition = TypeCondition {
                        on: Positioned::new(member.clone(), pos),
                    };
                    let inside = InlineFragment {
                        type_condition: Some(Positioned::new(condition, pos)),
                        directives: Vec::new(),
                        selection_set: self.selections(selections, Some(member))?,
                    };
                    items.push(inline_node(inside, pos));
                }
                (None, Positioned::new(SelectionSet { items }, pos))
            }
            (None, on) => {
                let inside = on.map(|on| on.text).or(parent);
                (
                    on.map(convert_condition),
                    self.selections(selections, inside)?,
                )
            }
        };
        let node = InlineFragment {
            type_condition,
            directives,
            selection_set,
        };
        Ok(inline_node(node, pos))
    }

    fn field(&mut self, field: &Field<'_>, parent: Option<&str>) -> Result<FieldNode, Rejection> {
        let schema = self.schema;
        let known = parent.and_then(|parent| schema.field(parent, field.name.text));
        let inside = known.map(|known| named(&known.ty).as_str());
        let selection_set = match &field.selections {
            Some(selections) => self.selections(selections, inside)?,
            None => Positioned::new(SelectionSet { items: Vec::new() }, Pos::default()),
        };
        Ok(FieldNode {
            alias: field.alias.map(convert_name),
            name: convert_name(field.name),
            arguments: convert_arguments(&field.arguments),
            directives: convert_directives(&field.directives),
            selection_set,
        })
    }
}

fn inline_node(node: InlineFragment, pos: Pos) -> Positioned<SelectionNode> {
    Positioned::new(
        SelectionNode::InlineFragment(Positioned::new(node, pos)),
        pos,
    )
}

/// The type that a reference names.
pub(crate) fn convert_type(ty: &TypeReference<'_>) -> Type {
    let base = |ty: &TypeReference<'_>| match ty {
        TypeReference::Named(name) => BaseType::Named(Name::new(name.text)),
        TypeReference::List(item) => BaseType::List(Box::new(convert_type(item))),
        // The grammar has no second mark behind the first.
        TypeReference::NonNull(inside) => convert_type(inside).base,
    };
    match ty {
        TypeReference::NonNull(inside) => Type {
            base: base(inside),
            nullable: false,
        },
        ty => Type {
            base: base(ty),
            nullable: true,
        },
    }
}

/// A literal as a value. Whole numbers beyond 64 bits become the nearest that can be told; what is beyond even that was
/// not read.
pub(crate) fn convert_literal(literal: &LiteralNode<'_>) -> Value {
    match &literal.value {
        LiteralValue::Variable(name) => Value::Variable(Name::new(name)),
        LiteralValue::Int(text) => number_from_digits(text),
        LiteralValue::Float(text) => number_from_text(text),
        LiteralValue::Text(text) | LiteralValue::BlockText(text) => Value::String(text.clone()),
        LiteralValue::Boolean(value) => Value::Boolean(*value),
        LiteralValue::Null => Value::Null,
        LiteralValue::Enum(name) => Value::Enum(Name::new(name)),
        LiteralValue::List(items) => Value::List(items.iter().map(convert_literal).collect()),
        LiteralValue::Object(fields) => {
            let fields = fields.iter();
            let fields = fields.map(|(name, value)| (Name::new(name.text), convert_literal(value)));
            Value::Object(fields.collect())
        }
    }
}

/// A literal without variables as a constant.
pub(crate) fn convert_constant(literal: &LiteralNode<'_>) -> Option<ConstValue> {
    convert_literal(literal).into_const()
}

fn number_from_digits(text: &str) -> Value {
    let signed = text.parse::<i64>().map(Number::from).ok();
    let whole = signed.or_else(|| text.parse::<u64>().map(Number::from).ok());
    whole.map_or_else(|| number_from_text(text), Value::Number)
}

fn number_from_text(text: &str) -> Value {
    let number = text.parse().ok().and_then(Number::from_f64);
    number.map_or(Value::Null, Value::Number)
}

fn convert_name(word: Word<'_>) -> Positioned<Name> {
    Positioned::new(Name::new(word.text), word.pos)
}

fn convert_condition(on: Word<'_>) -> Positioned<TypeCondition> {
    let on_name = convert_name(on);
    Positioned::new(TypeCondition { on: on_name }, on.pos)
}

fn convert_variable(variable: &Variable<'_>) -> Positioned<VariableDefinition> {
    let default_value = variable.default.as_ref().and_then(|literal| {
        let value = convert_constant(literal)?;
        Some(Positioned::new(value, literal.pos))
    });
    let node = VariableDefinition {
        name: convert_name(variable.name),
        var_type: Positioned::new(convert_type(&variable.ty), variable.name.pos),
        directives: convert_directives(&variable.directives),
        default_value,
    };
    Positioned::new(node, variable.name.pos)
}

fn convert_directives(directives: &[Directive<'_>]) -> Vec<Positioned<DirectiveNode>> {
    let nodes = directives.iter().map(|directive| {
        let node = DirectiveNode {
            name: convert_name(directive.name),
            arguments: convert_arguments(&directive.arguments),
        };
        Positioned::new(node, directive.name.pos)
    });
    nodes.collect()
}

fn convert_arguments(arguments: &[Argument<'_>]) -> Vec<(Positioned<Name>, Positioned<Value>)> {
    let converted = arguments.iter().map(|argument| {
        let value = Positioned::new(convert_literal(&argument.value), argument.value.pos);
        (convert_name(argument.name), value)
    });
    converted.collect()
}
