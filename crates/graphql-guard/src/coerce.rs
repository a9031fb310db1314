//! Holds the values of variables against their types, before anything runs, and finds all faults at once.

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
    validate::{and_those_it_has, one_of_these},
};

/// How much is told of a name that nothing has, and that may be as long as a body.
const SHOWN: usize = 200;

/// Most faults that are told.
const MOST_FAULTS: usize = 100;

/// Holds the values that were sent against the types of the operation's variables.
///
/// # Errors
/// Everything that is wrong with them.
pub(crate) fn coerce_variables(
    schema: &SchemaTypes,
    operation: &Operation<'_>,
    sent: &mut Variables,
) -> Result<(), Rejection> {
    let mut coercion = Coercion {
        schema,
        pos: operation.pos,
        path: Vec::new(),
        faults: Vec::new(),
    };
    for variable in &operation.variables {
        let ty = convert_type(&variable.ty);
        coercion.pos = variable.name.pos;
        coercion.path = vec![InputPathPart::Name(variable.name.text.to_owned())];
        match sent.get_mut(&Name::new(variable.name.text)) {
            Some(value) => coercion.check(value, &ty),
            None if !ty.nullable && variable.default.is_none() => {
                coercion.add("A value is required.")
            }
            None => {}
        }
    }
    match coercion.faults.is_empty() {
        true => Ok(()),
        false => Err(Rejection {
            kind: RejectionKind::BadVariable,
            faults: coercion.faults,
        }),
    }
}

struct Coercion<'s> {
    schema: &'s SchemaTypes,
    /// Where the variable is defined.
    pos: Pos,
    path: Vec<InputPathPart>,
    faults: Vec<RequestFault>,
}

impl Coercion<'_> {
    fn add(&mut self, sentence: &str) {
        if self.faults.len() < MOST_FAULTS {
            self.faults
                .push(RequestFault::in_input(&self.path, sentence, self.pos));
        }
    }

    fn check(&mut self, value: &mut ConstValue, ty: &Type) {
        match (value, &ty.base) {
            (ConstValue::Null, _) if ty.nullable => {}
            (ConstValue::Null, _) => self.add("A value is required, not null."),
            (ConstValue::List(items), BaseType::List(item)) => {
                for (at, value) in items.iter_mut().enumerate() {
                    self.inside(InputPathPart::Index(at), |coercion| {
                        coercion.check(value, item)
                    });
                }
            }
            // One value stands for a list of it.
            (value, BaseType::List(item)) => self.check(value, item),
            (value, BaseType::Named(name)) => match self.schema.get(name) {
                Some(NamedType::Scalar(parser)) => {
                    make_whole(value);
                    if let Err(sentence) = parser(value) {
                        self.add(&sentence);
                    }
                }
                Some(NamedType::Enum(values)) => {
                    let is_known = matches!(value, ConstValue::String(text)
                        if values.iter().any(|known| known == text.as_str()));
                    if !is_known {
                        self.add(&one_of_these(values));
                    }
                }
                Some(NamedType::Input(input)) => self.check_object(value, input),
                _ => {}
            },
        }
    }

    fn check_object(&mut self, value: &mut ConstValue, input: &InputType) {
        let ConstValue::Object(fields) = value else {
            self.add("An object is expected.");
            return;
        };
        for known in &input.fields {
            let part = InputPathPart::Name(known.name.to_string());
            match fields.get_mut(&known.name) {
                Some(value) => self.inside(part, |coercion| coercion.check(value, &known.ty)),
                None if known.is_required() => {
                    self.inside(part, |coercion| coercion.add("A value is required."));
                }
                None => {}
            }
        }
        let unknown = fields.keys().filter(|name| input.field(name).is_none());
        for name in unknown {
            let sentence = format!("There is no such field{}", and_those_it_has(&input.fields));
            let part = InputPathPart::Name(name.chars().take(SHOWN).collect());
            self.inside(part, |coercion| coercion.add(&sentence));
        }
        let known = fields
            .iter()
            .filter(|(name, _)| input.field(name).is_some());
        let known: Vec<&ConstValue> = known.map(|(_, value)| value).collect();
        if input.is_one_of && !matches!(known.as_slice(), [value] if **value != ConstValue::Null) {
            let names = and_those_it_has(&input.fields);
            self.add(&format!("Exactly one field is given, and not null{names}"));
        }
    }

    fn inside(&mut self, part: InputPathPart, check: impl FnOnce(&mut Self)) {
        self.path.push(part);
        check(self);
        self.path.pop();
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
