//! The tokens of a document, each with where it begins, read as graphql-js reads them.

use std::borrow::Cow;

use async_graphql::Pos;

/// A part of a document that cannot be read.
#[derive(Debug)]
pub(crate) struct SyntaxFault {
    pub pos: Pos,
    pub message: &'static str,
    /// Whether it is GraphQL, and more than allowed.
    pub is_limit: bool,
}

impl SyntaxFault {
    pub(crate) fn new(pos: Pos, message: &'static str) -> Self {
        Self {
            pos,
            message,
            is_limit: false,
        }
    }
}

/// Names are shown to people, and a name could be as long as a document.
const LONGEST_NAME: usize = 200;

#[derive(Clone, Debug, PartialEq)]
pub(crate) enum TokenKind<'a> {
    End,
    /// One of `! $ & ( ) : = @ [ ] { | }`.
    Mark(char),
    Spread,
    Name(&'a str),
    Int(&'a str),
    Float(&'a str),
    Text(Cow<'a, str>),
    BlockText(String),
}

#[derive(Clone, Debug)]
pub(crate) struct GraphqlToken<'a> {
    pub kind: TokenKind<'a>,
    pub pos: Pos,
}

pub(crate) struct GraphqlLexer<'a> {
    source: &'a str,
    at: usize,
    line: usize,
    /// A place in the line, and how many units of UTF-16 stand before it: the next token counts from there.
    counted: (usize, usize),
}

impl<'a> GraphqlLexer<'a> {
    pub(crate) fn new(source: &'a str) -> Self {
        Self {
            source,
            at: 0,
            line: 1,
            counted: (0, 0),
        }
    }

    pub(crate) fn next_token(&mut self) -> Result<GraphqlToken<'a>, SyntaxFault> {
        self.skip_ignored();
        let pos = self.pos();
        let Some(byte) = self.peek(0) else {
            return Ok(GraphqlToken {
                kind: TokenKind::End,
                pos,
            });
        };
        let kind = match byte {
            b'!' | b'$' | b'&' | b'(' | b')' | b':' | b'=' | b'@' | b'[' | b']' | b'{' | b'|'
            | b'}' => {
                self.at += 1;
                TokenKind::Mark(char::from(byte))
            }
            b'.' if self.rest().starts_with("...") => {
                self.at += 3;
                TokenKind::Spread
            }
            b'"' if self.rest().starts_with("\"\"\"") => self.read_block_text(pos)?,
            b'"' => self.read_text(pos)?,
            b'-' | b'0'..=b'9' => self.read_number(pos)?,
            _ if is_name_start(byte) => TokenKind::Name(self.read_name(pos)?),
            _ => {
                return Err(SyntaxFault::new(
                    pos,
                    "A character here belongs to nothing in GraphQL.",
                ));
            }
        };
        Ok(GraphqlToken { kind, pos })
    }

    fn rest(&self) -> &'a str {
        self.source.get(self.at..).unwrap_or_default()
    }

    fn peek(&self, ahead: usize) -> Option<u8> {
        self.source.as_bytes().get(self.at + ahead).copied()
    }

    /// Columns count the units of UTF-16, as editors and other servers count them.
    fn pos(&mut self) -> Pos {
        let (from, before) = self.counted;
        let since = self.source.get(from..self.at).unwrap_or_default();
        let units = before + since.encode_utf16().count();
        self.counted = (self.at, units);
        Pos {
            line: self.line,
            column: units + 1,
        }
    }

    fn skip_ignored(&mut self) {
        while let Some(byte) = self.peek(0) {
            match byte {
                b'\t' | b' ' | b',' => self.at += 1,
                b'\n' | b'\r' => self.end_line(),
                b'#' => {
                    let comment = self.rest();
                    self.at += comment.find(['\n', '\r']).unwrap_or(comment.len());
                }
                // The mark that some editors put before a text.
                _ if self.rest().starts_with('\u{feff}') => self.at += '\u{feff}'.len_utf8(),
                _ => return,
            }
        }
    }

    fn end_line(&mut self) {
        self.at += if self.rest().starts_with("\r\n") {
            2
        } else {
            1
        };
        self.line += 1;
        self.counted = (self.at, 0);
    }

    fn read_name(&mut self, pos: Pos) -> Result<&'a str, SyntaxFault> {
        let rest = self.rest();
        let length = rest.bytes().take_while(|byte| is_name_part(*byte)).count();
        if length > LONGEST_NAME {
            return Err(SyntaxFault {
                is_limit: true,
                ..SyntaxFault::new(
                    pos,
                    "A name here is longer than 200 characters, the most allowed.",
                )
            });
        }
        self.at += length;
        Ok(rest.get(..length).unwrap_or_default())
    }

    fn read_number(&mut self, pos: Pos) -> Result<TokenKind<'a>, SyntaxFault> {
        let malformed = SyntaxFault::new(pos, "A number here is malformed.");
        let (start, mut is_float) = (self.at, false);
        self.at += usize::from(self.peek(0) == Some(b'-'));
        let leads_with_zero = self.peek(0) == Some(b'0');
        let digits = self.skip_digits();
        if digits == 0 || leads_with_zero && digits > 1 {
            return Err(malformed);
        }
        if self.peek(0) == Some(b'.') {
            (self.at, is_float) = (self.at + 1, true);
            if self.skip_digits() == 0 {
                return Err(malformed);
            }
        }
        if matches!(self.peek(0), Some(b'e' | b'E')) {
            (self.at, is_float) = (self.at + 1, true);
            self.at += usize::from(matches!(self.peek(0), Some(b'+' | b'-')));
            if self.skip_digits() == 0 {
                return Err(malformed);
            }
        }
        if self
            .peek(0)
            .is_some_and(|byte| byte == b'.' || is_name_start(byte))
        {
            return Err(malformed);
        }
        let text = self.source.get(start..self.at).unwrap_or_default();
        if !text.parse::<f64>().is_ok_and(f64::is_finite) {
            return Err(SyntaxFault {
                is_limit: true,
                ..SyntaxFault::new(pos, "A number here is too large to be computed with.")
            });
        }
        Ok(match is_float {
            true => TokenKind::Float(text),
            false => TokenKind::Int(text),
        })
    }

    fn skip_digits(&mut self) -> usize {
        let rest = self.rest().bytes();
        let digits = rest.take_while(u8::is_ascii_digit).count();
        self.at += digits;
        digits
    }

    fn read_text(&mut self, pos: Pos) -> Result<TokenKind<'a>, SyntaxFault> {
        self.at += 1;
        let start = self.at;
        // Only a text with escapes is copied.
        let mut copy: Option<String> = None;
        loop {
            let rest = self.rest();
            let plain = rest.find(['"', '\\', '\n', '\r']).unwrap_or(rest.len());
            if let Some(copy) = &mut copy {
                copy.push_str(rest.get(..plain).unwrap_or_default());
            }
            self.at += plain;
            match self.peek(0) {
                Some(b'"') => break,
                Some(b'\\') => {
                    let before = self.source.get(start..self.at).unwrap_or_default();
                    let copy = copy.get_or_insert_with(|| before.to_owned());
                    copy.push(self.read_escape()?);
                }
                _ => {
                    return Err(SyntaxFault::new(pos, "A string is never closed."));
                }
            }
        }
        let text = self.source.get(start..self.at).unwrap_or_default();
        self.at += 1;
        Ok(TokenKind::Text(
            copy.map_or(Cow::Borrowed(text), Cow::Owned),
        ))
    }

    fn read_escape(&mut self) -> Result<char, SyntaxFault> {
        let rest = self.rest();
        let read = match self.peek(1) {
            Some(b'"') => Some(('"', 2)),
            Some(b'\\') => Some(('\\', 2)),
            Some(b'/') => Some(('/', 2)),
            Some(b'b') => Some(('\u{8}', 2)),
            Some(b'f') => Some(('\u{c}', 2)),
            Some(b'n') => Some(('\n', 2)),
            Some(b'r') => Some(('\r', 2)),
            Some(b't') => Some(('\t', 2)),
            Some(b'u') if self.peek(2) == Some(b'{') => braced_escape(rest),
            Some(b'u') => escape_of_four_digits(rest),
            _ => None,
        };
        let Some((character, length)) = read else {
            return Err(SyntaxFault::new(
                self.pos(),
                "An escape in a string is malformed.",
            ));
        };
        self.at += length;
        Ok(character)
    }

    fn read_block_text(&mut self, pos: Pos) -> Result<TokenKind<'a>, SyntaxFault> {
        self.at += 3;
        let (mut lines, mut line) = (Vec::new(), String::new());
        loop {
            let rest = self.rest();
            let plain = rest.find(['"', '\\', '\n', '\r']).unwrap_or(rest.len());
            line.push_str(rest.get(..plain).unwrap_or_default());
            self.at += plain;
            let rest = self.rest();
            match self.peek(0) {
                None => {
                    return Err(SyntaxFault::new(pos, "A string is never closed."));
                }
                Some(b'\n' | b'\r') => {
                    self.end_line();
                    lines.push(std::mem::take(&mut line));
                }
                _ if rest.starts_with("\"\"\"") => {
                    self.at += 3;
                    lines.push(line);
                    return Ok(TokenKind::BlockText(without_common_indent(&lines)));
                }
                _ if rest.starts_with("\\\"\"\"") => {
                    self.at += 4;
                    line.push_str("\"\"\"");
                }
                Some(byte) => {
                    self.at += 1;
                    line.push(char::from(byte));
                }
            }
        }
    }
}

const fn is_name_start(byte: u8) -> bool {
    byte.is_ascii_alphabetic() || byte == b'_'
}

const fn is_name_part(byte: u8) -> bool {
    is_name_start(byte) || byte.is_ascii_digit()
}

/// `\u{1F600}`: the character, and the length of its escape.
fn braced_escape(escape: &str) -> Option<(char, usize)> {
    let digits = escape.get(3..)?.split('}').next()?;
    let is_hexadecimal = digits.bytes().all(|byte| byte.is_ascii_hexdigit());
    if !(1..=8).contains(&digits.len()) || !is_hexadecimal || escape.len() < 4 + digits.len() {
        return None;
    }
    let character = char::from_u32(u32::from_str_radix(digits, 16).ok()?)?;
    Some((character, 4 + digits.len()))
}

/// `\u00e9`, or a pair such as `\uD83D\uDE00`.
fn escape_of_four_digits(escape: &str) -> Option<(char, usize)> {
    let unit = |at: usize| {
        let digits = escape.get(at..at + 4)?;
        let is_hexadecimal = digits.bytes().all(|byte| byte.is_ascii_hexdigit());
        u16::from_str_radix(digits, 16)
            .ok()
            .filter(|_| is_hexadecimal)
    };
    let first = unit(2)?;
    if let Some(character) = char::from_u32(first.into()) {
        return Some((character, 6));
    }
    let second = (escape.get(6..8)? == "\\u").then(|| unit(8))??;
    let pair = char::decode_utf16([first, second]).next()?.ok()?;
    Some((pair, 12))
}

/// The text of a block: without the indentation that all of its lines but the first share, and without empty lines
/// around it.
fn without_common_indent(lines: &[String]) -> String {
    let indent_of = |line: &String| {
        let rest = line.trim_start_matches([' ', '\t']);
        (!rest.is_empty()).then_some(line.len() - rest.len())
    };
    let common = lines
        .iter()
        .skip(1)
        .filter_map(indent_of)
        .min()
        .unwrap_or(0);
    let first = lines.iter().position(|line| indent_of(line).is_some());
    let last = lines.iter().rposition(|line| indent_of(line).is_some());
    let (Some(first), Some(last)) = (first, last) else {
        return String::new();
    };
    let shown = lines.iter().enumerate().skip(first).take(last + 1 - first);
    let cut = shown.map(|(at, line)| match at {
        0 => line.as_str(),
        _ => line.get(common..).unwrap_or_default(),
    });
    cut.collect::<Vec<_>>().join("\n")
}
