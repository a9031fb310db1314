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
        Argument, Directive, Field, Fragment, LiteralNode, LiteralValue, Operation, Selection,
        SelectionList, TypeReference, Variable, Word,
    },
    fragments::Fragments,
};

pub(crate) fn convert_operation(operation: &Operation<'_>) -> Positioned<OperationDefinition> {
    let node = OperationDefinition {
        ty: operation.kind,
        variable_definitions: operation.variables.iter().map(convert_variable).collect(),
        directives: convert_directives(&operation.directives),
        selection_set: convert_selections(&operation.selections),
    };
    Positioned::new(node, operation.pos)
}

pub(crate) fn convert_fragments<'a>(
    fragments: impl IntoIterator<Item = &'a Fragment<'a>>,
) -> Fragments {
    let fragments = fragments.into_iter().map(|fragment| {
        let node = FragmentDefinition {
            type_condition: convert_condition(fragment.on),
            directives: convert_directives(&fragment.directives),
            selection_set: convert_selections(&fragment.selections),
        };
        let name = Name::new(fragment.name.text);
        (name, Positioned::new(node, fragment.pos))
    });
    fragments.collect::<HashMap<_, _>>()
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

fn convert_selections(selections: &SelectionList<'_>) -> Positioned<SelectionSet> {
    let items = selections.items.iter().map(convert_selection).collect();
    Positioned::new(SelectionSet { items }, selections.pos)
}

fn convert_selection(selection: &Selection<'_>) -> Positioned<SelectionNode> {
    match selection {
        Selection::Field(field) => {
            let pos = field.alias.unwrap_or(field.name).pos;
            Positioned::new(
                SelectionNode::Field(Positioned::new(convert_field(field), pos)),
                pos,
            )
        }
        Selection::Spread { name, directives } => {
            let node = FragmentSpread {
                fragment_name: convert_name(*name),
                directives: convert_directives(directives),
            };
            Positioned::new(
                SelectionNode::FragmentSpread(Positioned::new(node, name.pos)),
                name.pos,
            )
        }
        Selection::Inline {
            pos,
            on,
            directives,
            selections,
        } => {
            let node = InlineFragment {
                type_condition: on.map(convert_condition),
                directives: convert_directives(directives),
                selection_set: convert_selections(selections),
            };
            Positioned::new(
                SelectionNode::InlineFragment(Positioned::new(node, *pos)),
                *pos,
            )
        }
    }
}

fn convert_field(field: &Field<'_>) -> FieldNode {
    let selection_set = field.selections.as_ref().map_or_else(
        || Positioned::new(SelectionSet { items: Vec::new() }, Pos::default()),
        convert_selections,
    );
    FieldNode {
        alias: field.alias.map(convert_name),
        name: convert_name(field.name),
        arguments: convert_arguments(&field.arguments),
        directives: convert_directives(&field.directives),
        selection_set,
    }
}
