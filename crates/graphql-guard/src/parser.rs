//! Reads a document of operations and fragments, by the grammar of graphql-js 16. Brackets are counted as they are
//! opened, so that the recursion is bounded.

use async_graphql::{Pos, parser::types::OperationType};

use crate::{
    ast::{
        Argument, Directive, Field, Fragment, LiteralNode, LiteralValue, Operation, ParsedDocument,
        Selection, SelectionList, TypeReference, Variable, Word,
    },
    lexer::{GraphqlLexer, GraphqlToken, SyntaxFault, TokenKind},
    rejection::{Rejection, RejectionKind},
};

/// Reads a document.
///
/// # Errors
/// Its first fault of syntax, brackets nested deeper than so many, or more operations than so many.
pub(crate) fn parse_document(
    source: &str,
    (brackets, operations): (usize, usize),
) -> Result<ParsedDocument<'_>, Rejection> {
    let mut lexer = GraphqlLexer::new(source);
    let token = lexer.next_token()?;
    let mut parser = GraphqlParser {
        lexer,
        token,
        left: brackets,
        brackets,
    };
    let mut document = ParsedDocument::default();
    if parser.token.kind == TokenKind::End {
        return Err(Rejection::new(
            RejectionKind::NoSuchOperation,
            "The document has no operation.",
        ));
    }
    while parser.token.kind != TokenKind::End {
        parser.read_definition(&mut document)?;
    }
    if document.operations.len() > operations {
        let message =
            format!("The document has more than {operations} operations, the most allowed.");
        return Err(Rejection::new(RejectionKind::TooComplex, message));
    }
    Ok(document)
}

impl From<SyntaxFault> for Rejection {
    fn from(fault: SyntaxFault) -> Self {
        let kind = match fault.is_limit {
            true => RejectionKind::TooComplex,
            false => RejectionKind::ParseFailed,
        };
        Self::new(kind, fault.message).at_location(fault.pos)
    }
}

struct GraphqlParser<'a> {
    lexer: GraphqlLexer<'a>,
    token: GraphqlToken<'a>,
    /// How many more brackets may be opened inside those that are open.
    left: usize,
    brackets: usize,
}

type Parsed<T> = Result<T, Rejection>;

impl<'a> GraphqlParser<'a> {
    fn advance(&mut self) -> Parsed<GraphqlToken<'a>> {
        let next = self.lexer.next_token()?;
        Ok(std::mem::replace(&mut self.token, next))
    }

    fn unexpected(&self, message: &'static str) -> Rejection {
        SyntaxFault::new(self.token.pos, message).into()
    }

    fn is_mark(&self, mark: char) -> bool {
        self.token.kind == TokenKind::Mark(mark)
    }

    fn is_keyword(&self, word: &str) -> bool {
        matches!(self.token.kind, TokenKind::Name(name) if name == word)
    }

    fn skip_mark(&mut self, mark: char) -> Parsed<bool> {
        let found = self.is_mark(mark);
        if found {
            self.advance()?;
        }
        Ok(found)
    }

    fn expect_mark(&mut self, mark: char, message: &'static str) -> Parsed<()> {
        match self.skip_mark(mark)? {
            true => Ok(()),
            false => Err(self.unexpected(message)),
        }
    }

    fn read_name(&mut self) -> Parsed<Word<'a>> {
        let TokenKind::Name(text) = self.token.kind else {
            return Err(self.unexpected("A name is expected here."));
        };
        let pos = self.advance()?.pos;
        Ok(Word { text, pos })
    }

    /// What stands between two brackets, the first of which is the current token: each item by `read`.
    fn read_in_brackets<T>(
        &mut self,
        close: char,
        read: impl Fn(&mut Self) -> Parsed<T>,
    ) -> Parsed<Vec<T>> {
        let open = self.advance()?;
        let Some(left) = self.left.checked_sub(1) else {
            let most = self.brackets;
            let message =
                format!("The document nests brackets deeper than {most}, the most allowed.");
            return Err(Rejection::new(RejectionKind::TooComplex, message).at_location(open.pos));
        };
        self.left = left;
        let mut items = Vec::new();
        while !self.skip_mark(close)? {
            items.push(read(self)?);
        }
        self.left += 1;
        Ok(items)
    }

    /// The same of at least one item.
    fn read_some_in_brackets<T>(
        &mut self,
        close: char,
        read: impl Fn(&mut Self) -> Parsed<T>,
    ) -> Parsed<Vec<T>> {
        let open = self.token.pos;
        let items = self.read_in_brackets(close, read)?;
        match items.is_empty() {
            true => Err(SyntaxFault::new(open, "Brackets here may not be empty.").into()),
            false => Ok(items),
        }
    }

    fn read_definition(&mut self, document: &mut ParsedDocument<'a>) -> Parsed<()> {
        let has_description = self.skip_description()?;
        let pos = self.token.pos;
        if self.is_mark('{') && !has_description {
            let operation = self.read_operation(pos, OperationType::Query)?;
            document.operations.push(operation);
            return Ok(());
        }
        let kind = match self.token.kind {
            TokenKind::Name("query") => OperationType::Query,
            TokenKind::Name("mutation") => OperationType::Mutation,
            TokenKind::Name("subscription") => OperationType::Subscription,
            TokenKind::Name("fragment") => {
                document.fragments.push(self.read_fragment()?);
                return Ok(());
            }
            _ => {
                return Err(self.unexpected(
                    "A query, a mutation, a fragment or a selection in braces is expected here.",
                ));
            }
        };
        self.advance()?;
        document.operations.push(self.read_operation(pos, kind)?);
        Ok(())
    }

    /// Operations, fragments and variables may be described.
    fn skip_description(&mut self) -> Parsed<bool> {
        let found = matches!(
            self.token.kind,
            TokenKind::Text(_) | TokenKind::BlockText(_)
        );
        if found {
            self.advance()?;
        }
        Ok(found)
    }

    /// What follows the word for its kind, or the selection alone.
    fn read_operation(&mut self, pos: Pos, kind: OperationType) -> Parsed<Operation<'a>> {
        let name = match self.token.kind {
            TokenKind::Name(_) => Some(self.read_name()?),
            _ => None,
        };
        let variables = match self.is_mark('(') {
            true => self.read_some_in_brackets(')', Self::read_variable)?,
            false => Vec::new(),
        };
        Ok(Operation {
            pos,
            kind,
            name,
            variables,
            directives: self.read_directives(false)?,
            selections: self.read_selections()?,
        })
    }

    fn read_variable(&mut self) -> Parsed<Variable<'a>> {
        self.skip_description()?;
        self.expect_mark('$', "A variable is expected here.")?;
        let name = self.read_name()?;
        self.expect_mark(':', "A colon and a type are expected here.")?;
        let ty = self.read_type()?;
        let default = match self.skip_mark('=')? {
            true => Some(self.read_literal(true)?),
            false => None,
        };
        Ok(Variable {
            name,
            ty,
            default,
            directives: self.read_directives(true)?,
        })
    }

    fn read_type(&mut self) -> Parsed<TypeReference<'a>> {
        let ty = match self.is_mark('[') {
            true => {
                let pos = self.token.pos;
                let mut inside = self.read_in_brackets(']', Self::read_type)?;
                match (inside.pop(), inside.is_empty()) {
                    (Some(item), true) => TypeReference::List(Box::new(item)),
                    _ => {
                        let message = "A list is of one type.";
                        return Err(SyntaxFault::new(pos, message).into());
                    }
                }
            }
            false => TypeReference::Named(self.read_name()?),
        };
        Ok(match self.skip_mark('!')? {
            true => TypeReference::NonNull(Box::new(ty)),
            false => ty,
        })
    }

    fn read_fragment(&mut self) -> Parsed<Fragment<'a>> {
        let pos = self.advance()?.pos;
        if self.is_keyword("on") {
            return Err(self.unexpected("A fragment is not named `on`."));
        }
        let name = self.read_name()?;
        if !self.is_keyword("on") {
            return Err(self.unexpected("`on` and a type are expected here."));
        }
        self.advance()?;
        Ok(Fragment {
            pos,
            name,
            on: self.read_name()?,
            directives: self.read_directives(false)?,
            selections: self.read_selections()?,
        })
    }

    fn read_selections(&mut self) -> Parsed<SelectionList<'a>> {
        let pos = self.token.pos;
        if !self.is_mark('{') {
            return Err(self.unexpected("A selection in braces is expected here."));
        }
        let items = self.read_some_in_brackets('}', Self::read_selection)?;
        Ok(SelectionList { pos, items })
    }

    fn read_selection(&mut self) -> Parsed<Selection<'a>> {
        if self.token.kind != TokenKind::Spread {
            return Ok(Selection::Field(self.read_field()?));
        }
        let pos = self.advance()?.pos;
        let has_condition = self.is_keyword("on");
        if has_condition {
            self.advance()?;
        } else if matches!(self.token.kind, TokenKind::Name(_)) {
            return Ok(Selection::Spread {
                name: self.read_name()?,
                directives: self.read_directives(false)?,
            });
        }
        let on = match has_condition {
            true => Some(self.read_name()?),
            false => None,
        };
        Ok(Selection::Inline {
            pos,
            on,
            directives: self.read_directives(false)?,
            selections: self.read_selections()?,
        })
    }

    fn read_field(&mut self) -> Parsed<Field<'a>> {
        let mut name = self.read_name()?;
        let mut alias = None;
        if self.skip_mark(':')? {
            alias = Some(name);
            name = self.read_name()?;
        }
        Ok(Field {
            alias,
            name,
            arguments: self.read_arguments(false)?,
            directives: self.read_directives(false)?,
            selections: match self.is_mark('{') {
                true => Some(self.read_selections()?),
                false => None,
            },
        })
    }

    fn read_arguments(&mut self, is_constant: bool) -> Parsed<Vec<Argument<'a>>> {
        match self.is_mark('(') {
            true => self.read_some_in_brackets(')', |parser| {
                let (name, value) = parser.read_named_literal(is_constant)?;
                Ok(Argument { name, value })
            }),
            false => Ok(Vec::new()),
        }
    }

    fn read_directives(&mut self, is_constant: bool) -> Parsed<Vec<Directive<'a>>> {
        let mut directives = Vec::new();
        while self.skip_mark('@')? {
            directives.push(Directive {
                name: self.read_name()?,
                arguments: self.read_arguments(is_constant)?,
            });
        }
        Ok(directives)
    }

    fn read_named_literal(&mut self, is_constant: bool) -> Parsed<(Word<'a>, LiteralNode<'a>)> {
        let name = self.read_name()?;
        self.expect_mark(':', "A colon and a value are expected here.")?;
        Ok((name, self.read_literal(is_constant)?))
    }

    fn read_literal(&mut self, is_constant: bool) -> Parsed<LiteralNode<'a>> {
        let pos = self.token.pos;
        let value = match self.token.kind {
            TokenKind::Mark('[') => {
                let items =
                    self.read_in_brackets(']', |parser| parser.read_literal(is_constant))?;
                LiteralValue::List(items)
            }
            TokenKind::Mark('{') => {
                let read = |parser: &mut Self| parser.read_named_literal(is_constant);
                LiteralValue::Object(self.read_in_brackets('}', read)?)
            }
            TokenKind::Mark('$') if !is_constant => {
                self.advance()?;
                LiteralValue::Variable(self.read_name()?.text)
            }
            TokenKind::Mark('$') => {
                return Err(self.unexpected("A constant is expected here, not a variable."));
            }
            _ => self.read_plain_value()?,
        };
        Ok(LiteralNode { pos, value })
    }

    fn read_plain_value(&mut self) -> Parsed<LiteralValue<'a>> {
        match self.token.kind {
            TokenKind::Int(_)
            | TokenKind::Float(_)
            | TokenKind::Text(_)
            | TokenKind::BlockText(_)
            | TokenKind::Name(_) => {}
            _ => return Err(self.unexpected("A value is expected here.")),
        }
        Ok(match self.advance()?.kind {
            TokenKind::Int(text) => LiteralValue::Int(text),
            TokenKind::Float(text) => LiteralValue::Float(text),
            TokenKind::Text(text) => LiteralValue::Text(text.into_owned()),
            TokenKind::BlockText(text) => LiteralValue::BlockText(text),
            TokenKind::Name("true") => LiteralValue::Boolean(true),
            TokenKind::Name("false") => LiteralValue::Boolean(false),
            TokenKind::Name(name) if name != "null" => LiteralValue::Enum(name),
            _ => LiteralValue::Null,
        })
    }
}
