//! Reads a `$filter` by recursive descent, one token ahead, within the bounds below.

use crate::{
    expression::{
        ComparisonOperator, Expression, Literal, Operand, PropertyFunction, TextFunction,
    },
    fault::Fault,
    lexer::{Lexer, Token},
};

/// Most bytes of a filter.
pub const MAX_BYTES: usize = 32 * 1024;
/// How deep brackets, functions and `not` may be nested. Each level is a few frames of the stack.
pub const MAX_DEPTH: usize = 50;
/// Most conditions in a filter. A chain of them may become an expression of SQL with a level for each, of which SQLite
/// takes a thousand.
pub const MAX_CONDITIONS: usize = 500;

/// Reads a filter.
///
/// # Errors
/// The first fault, with the letter at which it stands; nothing after it is read.
pub fn parse_filter(text: &str) -> Result<Expression, Fault> {
    if text.len() > MAX_BYTES {
        let message = format!("`$filter` has at most {MAX_BYTES} bytes.");
        return Err(Fault::bad_request(message));
    }
    let mut parser = Parser::new(text)?;
    let term = parser.read_or()?;
    let condition = parser.require_condition(term)?;
    match parser.next {
        Token::End => Ok(condition),
        _ => Err(parser.fault_at("`and`, `or` or the end is expected.")),
    }
}

/// Reads literals with commas between them, one or more.
#[must_use]
pub fn parse_literals(text: &str) -> Option<Vec<Literal>> {
    let mut parser = Parser::new(text).ok()?;
    let literals = parser.read_literals().ok()?;
    (parser.next == Token::End).then_some(literals)
}

/// Reads what stands in the brackets of an address: a literal, perhaps with the name of the key before it (`id='a'`).
#[must_use]
pub fn parse_key(text: &str) -> Option<(Option<&str>, Literal)> {
    let named = text.split_once('=').filter(|(name, _)| {
        let letter = |c: char| c.is_ascii_alphanumeric() || c == '_';
        name.chars().all(letter)
    });
    let (name, value) = named.map_or((None, text), |(name, value)| (Some(name), value));
    let [literal] = <[Literal; 1]>::try_from(parse_literals(value)?).ok()?;
    Some((name, literal))
}

/// A text in small or capital letters, letter by letter: one of which two would become stays.
fn in_case(function: PropertyFunction, text: &str) -> String {
    let single = |becomes: &mut dyn Iterator<Item = char>, letter| {
        let first = becomes.next();
        first.filter(|_| becomes.next().is_none()).unwrap_or(letter)
    };
    let letters = text.chars();
    letters
        .map(|letter| match function {
            PropertyFunction::ToLower => single(&mut letter.to_lowercase(), letter),
            _ => single(&mut letter.to_uppercase(), letter),
        })
        .collect()
}

/// A condition, or an operand that a comparison has yet to take: only what follows tells which one a bracket holds.
enum OperandOrCondition {
    Operand(Operand),
    Condition(Expression),
}

/// A condition compared with true or false, and whether that is so where it holds. One that was compared before is never
/// null: comparing it again makes it no deeper.
fn known_condition(condition: Expression, truth: bool) -> (Expression, bool) {
    match condition {
        Expression::Is(..) => (condition, truth),
        Expression::Not(inner) if matches!(*inner, Expression::Is(..)) => (*inner, !truth),
        other => (Expression::Is(Box::new(other), truth), true),
    }
}

struct Parser<'t> {
    lexer: Lexer<'t>,
    next: Token<'t>,
    depth: usize,
    conditions: usize,
}

impl<'t> Parser<'t> {
    fn new(text: &'t str) -> Result<Self, Fault> {
        let mut lexer = Lexer::new(text);
        let next = lexer.next_token()?;
        Ok(Self {
            lexer,
            next,
            depth: 0,
            conditions: 0,
        })
    }

    fn fault_at(&self, what: &str) -> Fault {
        self.lexer.fault_at(what)
    }

    fn advance(&mut self) -> Result<Token<'t>, Fault> {
        let next = self.lexer.next_token()?;
        Ok(std::mem::replace(&mut self.next, next))
    }

    fn take_if(&mut self, token: &Token<'_>) -> Result<bool, Fault> {
        let there = self.next == *token;
        if there {
            self.advance()?;
        }
        Ok(there)
    }

    fn expect(&mut self, token: &Token<'_>, what: &str) -> Result<(), Fault> {
        match self.take_if(token)? {
            true => Ok(()),
            false => Err(self.fault_at(what)),
        }
    }

    fn read_nested<T>(
        &mut self,
        read: impl FnOnce(&mut Self) -> Result<T, Fault>,
    ) -> Result<T, Fault> {
        if self.depth == MAX_DEPTH {
            let message = format!("`$filter` goes at most {MAX_DEPTH} brackets deep.");
            return Err(Fault::bad_request(message));
        }
        self.depth += 1;
        let inner = read(self)?;
        self.depth -= 1;
        Ok(inner)
    }

    /// A condition, of which there may not be too many.
    fn count_condition(&mut self, condition: Expression) -> Result<Expression, Fault> {
        self.conditions += 1;
        if self.conditions > MAX_CONDITIONS {
            let message = format!(
                "`$filter` has at most {MAX_CONDITIONS} conditions; `in (…)` after a column is one."
            );
            return Err(Fault::bad_request(message));
        }
        Ok(condition)
    }

    fn require_condition(&mut self, term: OperandOrCondition) -> Result<Expression, Fault> {
        match term {
            OperandOrCondition::Condition(condition) => Ok(condition),
            OperandOrCondition::Operand(Operand::Property(name)) => {
                self.count_condition(Expression::Property(name))
            }
            OperandOrCondition::Operand(Operand::Literal(Literal::Boolean(truth))) => {
                self.count_condition(Expression::Boolean(truth))
            }
            OperandOrCondition::Operand(_) => {
                Err(self.fault_at("a comparison such as `value gt 5` has no end."))
            }
        }
    }

    fn read_or(&mut self) -> Result<OperandOrCondition, Fault> {
        self.read_chain("or", Self::read_and, Expression::Or)
    }

    fn read_and(&mut self) -> Result<OperandOrCondition, Fault> {
        self.read_chain("and", Self::read_comparison, Expression::And)
    }

    fn read_chain(
        &mut self,
        word: &str,
        read: fn(&mut Self) -> Result<OperandOrCondition, Fault>,
        of: fn(Vec<Expression>) -> Expression,
    ) -> Result<OperandOrCondition, Fault> {
        let first = read(self)?;
        if self.next != Token::Word(word) {
            return Ok(first);
        }
        let mut parts = vec![self.require_condition(first)?];
        while self.take_if(&Token::Word(word))? {
            let part = read(self)?;
            parts.push(self.require_condition(part)?);
        }
        Ok(OperandOrCondition::Condition(of(parts)))
    }

    fn read_comparison(&mut self) -> Result<OperandOrCondition, Fault> {
        if self.take_if(&Token::Word("not"))? {
            return self.read_nested(|parser| {
                let inner = parser.read_comparison()?;
                let inner = parser.require_condition(inner)?;
                Ok(OperandOrCondition::Condition(Expression::Not(Box::new(
                    inner,
                ))))
            });
        }
        let mut left = self.read_term()?;
        loop {
            let Token::Word(word) = self.next else {
                return Ok(left);
            };
            left = match (ComparisonOperator::from_name(word), word) {
                (Some(operator), _) => {
                    self.advance()?;
                    let right = self.read_term()?;
                    self.make_comparison(left, operator, right)?
                }
                (None, "in") => self.read_in_list(left)?,
                (None, "has" | "add" | "sub" | "mul" | "div" | "divby" | "mod") => {
                    return Err(Fault::unsupported(
                        "`$filter` does not calculate: add, sub, mul, div, divby, mod and has are not offered.",
                    ));
                }
                _ => return Ok(left),
            };
        }
    }

    fn make_comparison(
        &mut self,
        left: OperandOrCondition,
        operator: ComparisonOperator,
        right: OperandOrCondition,
    ) -> Result<OperandOrCondition, Fault> {
        let same = match operator {
            ComparisonOperator::Eq => Some(true),
            ComparisonOperator::Ne => Some(false),
            _ => None,
        };
        let condition = match (left, right, same) {
            (OperandOrCondition::Operand(left), OperandOrCondition::Operand(right), _) => {
                Expression::Compare(left, operator, right)
            }
            // A condition may be compared with true and false.
            (
                OperandOrCondition::Condition(condition),
                OperandOrCondition::Operand(Operand::Literal(Literal::Boolean(truth))),
                Some(same),
            )
            | (
                OperandOrCondition::Operand(Operand::Literal(Literal::Boolean(truth))),
                OperandOrCondition::Condition(condition),
                Some(same),
            ) => {
                let (is, holds) = known_condition(condition, truth);
                match holds == same {
                    true => is,
                    false => Expression::Not(Box::new(is)),
                }
            }
            _ => {
                return Err(self
                    .fault_at("a condition is compared with something else than true or false."));
            }
        };
        // Conditions that are compared count too, or they could go as deep as they like.
        self.count_condition(condition)
            .map(OperandOrCondition::Condition)
    }

    fn read_in_list(&mut self, left: OperandOrCondition) -> Result<OperandOrCondition, Fault> {
        self.advance()?;
        let OperandOrCondition::Operand(left) = left else {
            return Err(self.fault_at("`in` stands after a column."));
        };
        self.expect(
            &Token::Open,
            "a list in brackets is expected, such as ('a','b').",
        )?;
        let literals = self.read_literals()?;
        self.expect(&Token::Close, "a comma or the end of the list is expected.")?;
        // A property is compared with a list at once; of a function each literal is a comparison of its own.
        if matches!(left, Operand::Function(..)) {
            self.conditions += literals.len() - 1;
        }
        let listed = self.count_condition(Expression::In(left, literals))?;
        Ok(OperandOrCondition::Condition(listed))
    }

    fn read_literals(&mut self) -> Result<Vec<Literal>, Fault> {
        let mut literals = Vec::new();
        loop {
            if !matches!(self.next, Token::Literal(_)) {
                return Err(self.fault_at("a list has something else in it than values."));
            }
            if let Token::Literal(literal) = self.advance()? {
                literals.push(literal);
            }
            if !self.take_if(&Token::Comma)? {
                return Ok(literals);
            }
        }
    }

    fn read_term(&mut self) -> Result<OperandOrCondition, Fault> {
        match &self.next {
            Token::Open => {
                self.advance()?;
                let inner = self.read_nested(Self::read_or)?;
                self.expect(&Token::Close, "a closing bracket is expected.")?;
                Ok(inner)
            }
            Token::Literal(_) => match self.advance()? {
                Token::Literal(literal) => {
                    Ok(OperandOrCondition::Operand(Operand::Literal(literal)))
                }
                _ => Err(self.fault_at("a value is expected.")),
            },
            Token::Word(word) => {
                let word = *word;
                self.advance()?;
                self.read_property_or_function(word)
            }
            _ => Err(self.fault_at("a column, a value or an opening bracket is expected.")),
        }
    }

    fn read_property_or_function(&mut self, word: &str) -> Result<OperandOrCondition, Fault> {
        match self.next {
            Token::Open => {
                self.advance()?;
                self.read_nested(|parser| parser.read_function(word))
            }
            Token::Slash => Err(Fault::unsupported(
                "Rows lead nowhere: paths such as a/b, any and all are not offered in `$filter`.",
            )),
            _ if word.contains(['$', '@', '.']) => Err(Fault::unsupported(
                "`$it`, `$root`, parameter aliases and names of types are not offered in `$filter`.",
            )),
            _ => Ok(OperandOrCondition::Operand(Operand::Property(
                word.to_owned(),
            ))),
        }
    }

    fn read_function(&mut self, name: &str) -> Result<OperandOrCondition, Fault> {
        if let Some(function) = TextFunction::from_name(name) {
            return self.read_text_function(function);
        }
        let Some(function) = PropertyFunction::from_name(name) else {
            let texts = TextFunction::ALL.map(TextFunction::as_str).join(", ");
            let others = PropertyFunction::ALL
                .map(PropertyFunction::as_str)
                .join(", ");
            return Err(Fault::unsupported(format!(
                "Of functions `$filter` offers {texts}, {others}."
            )));
        };
        let term = self.read_term()?;
        self.expect(&Token::Close, "a closing bracket is expected.")?;
        let operand = match term {
            OperandOrCondition::Operand(Operand::Property(property)) => {
                Operand::Function(function, property)
            }
            OperandOrCondition::Operand(Operand::Literal(Literal::String(text)))
                if function.is_case() =>
            {
                Operand::Literal(Literal::String(in_case(function, &text)))
            }
            _ => {
                let name = function.as_str();
                return Err(Fault::unsupported(format!(
                    "`{name}` takes a column in `$filter`."
                )));
            }
        };
        Ok(OperandOrCondition::Operand(operand))
    }

    fn read_text_function(&mut self, function: TextFunction) -> Result<OperandOrCondition, Fault> {
        let haystack = self.read_term()?;
        self.expect(&Token::Comma, "a comma is expected.")?;
        let needle = self.read_term()?;
        self.expect(&Token::Close, "a closing bracket is expected.")?;
        match (haystack, needle) {
            (
                OperandOrCondition::Operand(within),
                OperandOrCondition::Operand(Operand::Literal(Literal::String(text))),
            ) if within.is_text() => {
                let found = self.count_condition(Expression::Text(function, within, text))?;
                Ok(OperandOrCondition::Condition(found))
            }
            _ => Err(Fault::unsupported(format!(
                "`{}` takes a column, as it is or in one case, and a text in quotes in `$filter`.",
                function.as_str()
            ))),
        }
    }
}
