//! Reads a `$filter`. It goes no deeper and takes no more than it says, whatever it is given, and knows no dataset.

use super::{
    expression::{Expression, LOOKS, Literal, Operand, SIGNS},
    fault::Fault,
    lexer::{Lexer, Token},
};
use crate::bi::model::filter::{Comparison, TextPosition};

/// Most bytes of a filter.
pub const LONGEST: usize = 32 * 1024;
/// How deep brackets, functions and `not` may stand in each other.
pub const DEEPEST: usize = 50;
/// Most conditions in a filter; SQLite takes an expression of a thousand levels, and each may be one.
pub const MOST: usize = 500;

/// Reads a filter.
pub fn read(text: &str) -> Result<Expression, Fault> {
    if text.len() > LONGEST {
        let message = format!("`$filter` has at most {LONGEST} bytes.");
        return Err(Fault::bad(message));
    }
    let mut parser = Parser::new(text)?;
    let term = parser.any()?;
    let whole = parser.whole(term)?;
    match parser.next {
        Token::End => Ok(whole),
        _ => Err(parser.bad("`and`, `or` or the end is expected.")),
    }
}

/// Reads literals with commas between them.
pub fn literals(text: &str) -> Option<Vec<Literal>> {
    let mut parser = Parser::new(text).ok()?;
    let literals = parser.listed().ok()?;
    (parser.next == Token::End).then_some(literals)
}

/// Reads the name of a property by which a key is given, if it is, and the key.
pub fn key(text: &str) -> Option<(Option<&str>, Literal)> {
    let named = text.split_once('=').filter(|(name, _)| {
        let letter = |c: char| c.is_ascii_alphanumeric() || c == '_';
        name.chars().all(letter)
    });
    let (name, value) = named.map_or((None, text), |(name, value)| (Some(name), value));
    let [literal] = <[Literal; 1]>::try_from(literals(value)?).ok()?;
    Some((name, literal))
}

/// What stands between words: a condition, or something that is yet to be compared.
enum Term {
    Operand(Operand),
    Whole(Expression),
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
        let next = lexer.token()?;
        Ok(Self {
            lexer,
            next,
            depth: 0,
            conditions: 0,
        })
    }

    fn bad(&self, what: &str) -> Fault {
        let place = self.lexer.place();
        Fault::bad(format!("At letter {place} of `$filter` {what}"))
    }

    fn advance(&mut self) -> Result<Token<'t>, Fault> {
        let next = self.lexer.token()?;
        Ok(std::mem::replace(&mut self.next, next))
    }

    fn takes(&mut self, token: &Token<'_>) -> Result<bool, Fault> {
        let there = self.next == *token;
        if there {
            self.advance()?;
        }
        Ok(there)
    }

    fn expects(&mut self, token: &Token<'_>, what: &str) -> Result<(), Fault> {
        match self.takes(token)? {
            true => Ok(()),
            false => Err(self.bad(what)),
        }
    }

    fn deeper<T>(&mut self, read: impl FnOnce(&mut Self) -> Result<T, Fault>) -> Result<T, Fault> {
        if self.depth == DEEPEST {
            let message = format!("`$filter` goes at most {DEEPEST} brackets deep.");
            return Err(Fault::bad(message));
        }
        self.depth += 1;
        let inner = read(self)?;
        self.depth -= 1;
        Ok(inner)
    }

    /// A condition, of which there may not be too many.
    fn counted(&mut self, condition: Expression) -> Result<Expression, Fault> {
        self.conditions += 1;
        if self.conditions > MOST {
            let message = format!("`$filter` has at most {MOST} conditions; `in (…)` is one.");
            return Err(Fault::bad(message));
        }
        Ok(condition)
    }

    fn whole(&mut self, term: Term) -> Result<Expression, Fault> {
        match term {
            Term::Whole(whole) => Ok(whole),
            Term::Operand(Operand::Column(name)) => self.counted(Expression::Column(name)),
            Term::Operand(Operand::Literal(Literal::Truth(truth))) => {
                self.counted(Expression::Truth(truth))
            }
            Term::Operand(_) => Err(self.bad("a comparison such as `value gt 5` has no end.")),
        }
    }

    fn any(&mut self) -> Result<Term, Fault> {
        self.chain("or", Self::all, Expression::Any)
    }

    fn all(&mut self) -> Result<Term, Fault> {
        self.chain("and", Self::one, Expression::All)
    }

    fn chain(
        &mut self,
        word: &str,
        read: fn(&mut Self) -> Result<Term, Fault>,
        of: fn(Vec<Expression>) -> Expression,
    ) -> Result<Term, Fault> {
        let first = read(self)?;
        if self.next != Token::Word(word) {
            return Ok(first);
        }
        let mut parts = vec![self.whole(first)?];
        while self.takes(&Token::Word(word))? {
            let part = read(self)?;
            parts.push(self.whole(part)?);
        }
        Ok(Term::Whole(of(parts)))
    }

    fn one(&mut self) -> Result<Term, Fault> {
        if self.takes(&Token::Word("not"))? {
            return self.deeper(|parser| {
                let inner = parser.one()?;
                let inner = parser.whole(inner)?;
                Ok(Term::Whole(Expression::Not(Box::new(inner))))
            });
        }
        let mut left = self.term()?;
        loop {
            let Token::Word(word) = self.next else {
                return Ok(left);
            };
            let sign = SIGNS.iter().find(|(sign, _)| *sign == word);
            left = match (sign, word) {
                (Some((_, how)), _) => {
                    self.advance()?;
                    let right = self.term()?;
                    self.compared(left, *how, right)?
                }
                (None, "in") => self.among(left)?,
                (None, "has" | "add" | "sub" | "mul" | "div" | "divby" | "mod") => {
                    return Err(Fault::unsupported(
                        "`$filter` does not calculate: add, sub, mul, div, divby, mod and has are not offered.",
                    ));
                }
                _ => return Ok(left),
            };
        }
    }

    fn compared(&mut self, left: Term, how: Comparison, right: Term) -> Result<Term, Fault> {
        let same = match how {
            Comparison::Equal => Some(true),
            Comparison::NotEqual => Some(false),
            _ => None,
        };
        let whole = match (left, right, same) {
            (Term::Operand(left), Term::Operand(right), _) => Expression::Compare(left, how, right),
            // A condition may be compared with true and false.
            (
                Term::Whole(whole),
                Term::Operand(Operand::Literal(Literal::Truth(truth))),
                Some(same),
            )
            | (
                Term::Operand(Operand::Literal(Literal::Truth(truth))),
                Term::Whole(whole),
                Some(same),
            ) => match truth == same {
                true => whole,
                false => Expression::Not(Box::new(whole)),
            },
            _ => {
                return Err(
                    self.bad("a condition is compared with something else than true or false.")
                );
            }
        };
        // Conditions that are compared count too, or they could go as deep as they like.
        self.counted(whole).map(Term::Whole)
    }

    fn among(&mut self, left: Term) -> Result<Term, Fault> {
        self.advance()?;
        let Term::Operand(left) = left else {
            return Err(self.bad("`in` stands behind a column."));
        };
        self.expects(
            &Token::Open,
            "a list in brackets is expected, such as ('a','b').",
        )?;
        let literals = self.listed()?;
        self.expects(&Token::Close, "a comma or the end of the list is expected.")?;
        let among = self.counted(Expression::In(left, literals))?;
        Ok(Term::Whole(among))
    }

    fn listed(&mut self) -> Result<Vec<Literal>, Fault> {
        let mut literals = Vec::new();
        loop {
            if !matches!(self.next, Token::Literal(_)) {
                return Err(self.bad("a list has something else in it than values."));
            }
            if let Token::Literal(literal) = self.advance()? {
                literals.push(literal);
            }
            if !self.takes(&Token::Comma)? {
                return Ok(literals);
            }
        }
    }

    fn term(&mut self) -> Result<Term, Fault> {
        match &self.next {
            Token::Open => {
                self.advance()?;
                let inner = self.deeper(Self::any)?;
                self.expects(&Token::Close, "a closing bracket is expected.")?;
                Ok(inner)
            }
            Token::Literal(_) => match self.advance()? {
                Token::Literal(literal) => Ok(Term::Operand(Operand::Literal(literal))),
                _ => Err(self.bad("a value is expected.")),
            },
            Token::Word(word) => {
                let word = *word;
                self.advance()?;
                self.named(word)
            }
            _ => Err(self.bad("a column, a value or an opening bracket is expected.")),
        }
    }

    fn named(&mut self, word: &str) -> Result<Term, Fault> {
        match self.next {
            Token::Open => {
                self.advance()?;
                self.deeper(|parser| parser.function(word))
            }
            Token::Slash => Err(Fault::unsupported(
                "Rows lead nowhere: paths such as a/b, any and all are not offered in `$filter`.",
            )),
            _ if word.contains(['$', '@', '.']) => Err(Fault::unsupported(
                "`$it`, `$root`, parameter aliases and names of types are not offered in `$filter`.",
            )),
            _ => Ok(Term::Operand(Operand::Column(word.to_owned()))),
        }
    }

    fn function(&mut self, name: &str) -> Result<Term, Fault> {
        if let Some((name, position)) = LOOKS.iter().find(|(known, _)| *known == name) {
            return self.look(name, *position);
        }
        if name != "year" {
            return Err(Fault::unsupported(
                "Of functions `$filter` offers contains, startswith, endswith and year.",
            ));
        }
        let term = self.term()?;
        self.expects(&Token::Close, "a closing bracket is expected.")?;
        match term {
            Term::Operand(Operand::Column(column)) => Ok(Term::Operand(Operand::Year(column))),
            _ => Err(Fault::unsupported("`year` takes a column in `$filter`.")),
        }
    }

    fn look(&mut self, name: &str, position: TextPosition) -> Result<Term, Fault> {
        let place = self.term()?;
        self.expects(&Token::Comma, "a comma is expected.")?;
        let wanted = self.term()?;
        self.expects(&Token::Close, "a closing bracket is expected.")?;
        match (place, wanted) {
            (
                Term::Operand(Operand::Column(column)),
                Term::Operand(Operand::Literal(Literal::Text(text))),
            ) => {
                let look = self.counted(Expression::Has(column, position, text))?;
                Ok(Term::Whole(look))
            }
            _ => Err(Fault::unsupported(format!(
                "`{name}` takes a column and a text in quotes in `$filter`."
            ))),
        }
    }
}
