//! Holds the values of variables against their types, before anything runs, and finds all faults at once.

use std::collections::HashSet;

use async_graphql::{
    Name, Pos, Variables,
    parser::types::{BaseType, Type},
};
use async_graphql_value::{ConstValue, Number};

use crate::{
    ast::Operation,
    convert::convert_type,
    rejection::{InputPathPart, Rejection, RejectionKind, RequestFault},
    schema::{InputType, NamedType, SchemaTypes},
    validate::{MOST_FAULTS, VariablesInNeed, no_such_field, one_of_fields, one_of_these},
};

/// How much is told of a name that nothing has, and that may be as long as a body.
const SHOWN: usize = 200;

/// Holds the values of a valid operation's variables against their types; `sent` are those that the client sent, the
/// others are defaults.
///
/// # Errors
/// Everything that is wrong with them.
pub(crate) fn coerce_variables(
    schema: &SchemaTypes,
    operation: &Operation<'_>,
    (values, sent): (&mut Variables, &HashSet<Name>),
    in_need: &VariablesInNeed<'_>,
) -> Result<(), Rejection> {
    let mut faults = Vec::new();
    for variable in &operation.variables {
        let name = Name::new(variable.name.text);
        let mut ty = convert_type(&variable.ty);
        // Where it is used, null would be an error of a field that runs beside others.
        let need = in_need.get(variable.name.text);
        let is_needed = !ty.nullable || need == Some(&true);
        ty.nullable &= need.is_none();
        let mut coercion = Coercion {
            schema,
            pos: variable.name.pos,
            path: vec![PathStep::Name(variable.name.text)],
            faults: &mut faults,
        };
        match values.get_mut(&name) {
            Some(value) if sent.contains(&name) => coercion.check(value, &ty),
            Some(_) => {}
            None if is_needed => coercion.add(|| "A value is required.".to_owned()),
            None => {}
        }
    }
    match faults.is_empty() {
        true => Ok(()),
        false => Err(Rejection {
            kind: RejectionKind::BadVariable,
            faults,
        }),
    }
}

/// A step of the path to a value, which is written down only for a fault.
#[derive(Clone, Copy)]
enum PathStep<'v> {
    Name(&'v str),
    Index(usize),
}

struct Coercion<'v> {
    schema: &'v SchemaTypes,
    /// Where the variable is defined.
    pos: Pos,
    path: Vec<PathStep<'v>>,
    faults: &'v mut Vec<RequestFault>,
}

impl<'v> Coercion<'v> {
    fn add(&mut self, sentence: impl FnOnce() -> String) {
        if self.faults.len() >= MOST_FAULTS {
            return;
        }
        let path = self.path.iter().map(|step| match step {
            PathStep::Name(name) => InputPathPart::Name(name.chars().take(SHOWN).collect()),
            PathStep::Index(index) => InputPathPart::Index(*index),
        });
        let path: Vec<InputPathPart> = path.collect();
        let fault = RequestFault::in_input(&path, &sentence(), self.pos);
        self.faults.push(fault);
    }

    fn check(&mut self, value: &'v mut ConstValue, ty: &Type) {
        match (value, &ty.base) {
            (ConstValue::Null, _) if ty.nullable => {}
            (ConstValue::Null, _) => self.add(|| "A value is required, not null.".to_owned()),
            (ConstValue::List(items), BaseType::List(item)) => {
                for (at, value) in items.iter_mut().enumerate() {
                    self.path.push(PathStep::Index(at));
                    self.check(value, item);
                    self.path.pop();
                }
            }
            // One value stands for a list of it.
            (value, BaseType::List(item)) => self.check(value, item),
            (value, BaseType::Named(name)) => match self.schema.get(name) {
                Some(NamedType::Scalar(parser)) => {
                    make_whole(value);
                    if let Err(sentence) = parser(value) {
                        self.add(|| sentence);
                    }
                }
                Some(NamedType::Enum(values)) => {
                    let is_known = matches!(value, ConstValue::String(text)
                        if values.iter().any(|known| known == text.as_str()));
                    if !is_known {
                        self.add(|| one_of_these(values));
                    }
                }
                Some(NamedType::Input(input)) => self.check_object(value, input),
                _ => {}
            },
        }
    }

    fn check_object(&mut self, value: &'v mut ConstValue, input: &'v InputType) {
        let ConstValue::Object(fields) = value else {
            self.add(|| "An object is expected.".to_owned());
            return;
        };
        for required in input.fields.iter().filter(|field| field.is_required()) {
            if !fields.contains_key(&required.name) {
                self.path.push(PathStep::Name(&required.name));
                self.add(|| "A value is required.".to_owned());
                self.path.pop();
            }
        }
        let is_given = |(name, value): (&Name, &ConstValue)| {
            input.field(name).map(|_| *value != ConstValue::Null)
        };
        let given: Vec<bool> = match input.is_one_of {
            true => fields.iter().filter_map(is_given).collect(),
            false => Vec::new(),
        };
        for (name, value) in fields.iter_mut() {
            self.path.push(PathStep::Name(name));
            match input.field(name) {
                Some(known) => self.check(value, &known.ty),
                None => self.add(|| no_such_field(&input.fields)),
            }
            self.path.pop();
        }
        if input.is_one_of && given != [true] {
            self.add(|| one_of_fields(&input.fields));
        }
    }
}

/// In JSON `2.0` and `2` are one number: a whole one.
fn make_whole(value: &mut ConstValue) {
    if let ConstValue::Number(number) = value
        && let Some(float) = number.as_f64().filter(|_| number.is_f64())
        && float.fract() == 0.0
        // Beyond these there is no telling which whole number was meant.
        && float.abs() <= 9_007_199_254_740_992.0
    {
        *number = Number::from(float as i64);
    }
}
