//! Pages of rows as OData's JSON: written whole, with a link to the next page at its end where there is one.

use std::io::Write;

use axum::http::Uri;
use flate2::{Compression, write::GzEncoder};
use odata_filter::Literal;
use serde_json::Value;

use super::{address::ROOT, media::Level, options::ODataParams, token};
use crate::{
    access::Caller,
    bi::{catalogue, model::dataset::Column, model::query::DatasetQuery, source::row::DatasetRow},
    error::{Error, Result},
    http::bi::encode::{CHUNK, json},
};

/// Rows of a page where no number is preferred.
pub const USUAL: u64 = 5_000;

/// Where the answer is read.
pub struct ODataWriter<'r> {
    /// The address of the service.
    pub root: &'r str,
    pub uri: &'r Uri,
    pub level: Level,
    pub gzip: bool,
    /// Rows of a page at the most.
    pub size: u64,
}

impl ODataWriter<'_> {
    /// What `@odata.context` says, with the member that it is.
    fn context(&self, of: &str) -> String {
        match self.level {
            Level::Bare => String::new(),
            Level::Minimal => {
                let context = format!("{}$metadata{of}", self.root);
                format!("\"@odata.context\":{},", Value::from(context))
            }
        }
    }

    /// Entity sets, and whatever else is a list of a few.
    pub fn list(&self, of: &str, list: &[Value]) -> Result<Vec<u8>> {
        let mut body = Body::new(self.gzip);
        let list = serde_json::to_string(list).map_err(Error::internal)?;
        write!(body.plain, "{{{}\"value\":{list}}}", self.context(of)).map_err(Error::internal)?;
        body.end()
    }

    /// A page of rows, and where asked for their number, from one moment of the truth.
    pub async fn rows(&self, caller: &Caller, asked: ODataParams) -> Result<Vec<u8>> {
        let ODataParams {
            mut query,
            shown,
            chosen,
            count,
            top,
        } = asked;
        let tx = caller.snapshot().await?;
        let mut body = Body::new(self.gzip);
        let set = format!("#{}{}", query.dataset.name, choice(&query, shown, chosen));
        write!(body.plain, "{{{}", self.context(&set)).map_err(Error::internal)?;
        if count {
            let counted = catalogue::count(&query, caller, &tx).await?;
            write!(body.plain, "\"@odata.count\":{counted},").map_err(Error::internal)?;
        }
        body.plain.extend_from_slice(b"\"value\":[");
        let mut left = top.unwrap_or(u64::MAX).min(self.size);
        let further = top.map(|top| top - left);
        let order = query.order.clone();
        query.limit = Some(match further {
            Some(0) => left,
            _ => left + 1,
        });
        let writer = JsonRow::new(&query, shown);
        let mut rows = catalogue::rows(query, caller, tx)?;
        let (mut last, mut more) = (None::<DatasetRow>, false);
        while let Some(row) = rows.next().await? {
            if left == 0 {
                more = true;
                break;
            }
            left -= 1;
            if last.is_some() {
                body.plain.push(b',');
            }
            writer.write(&mut body.plain, &row)?;
            body.settle()?;
            last = Some(row);
        }
        body.plain.push(b']');
        if let Some(row) = last.filter(|_| more) {
            let order: Vec<&Column> = order.iter().map(|(column, _)| *column).collect();
            let token = token::write(&row.place()?, &held(&row, &order)?);
            let link = Value::from(self.next(&token, further));
            write!(body.plain, ",\"@odata.nextLink\":{link}").map_err(Error::internal)?;
        }
        body.plain.push(b'}');
        body.end()
    }

    /// One row, if it is there.
    pub async fn row(&self, caller: &Caller, asked: ODataParams) -> Result<Option<Vec<u8>>> {
        let ODataParams {
            mut query,
            shown,
            chosen,
            ..
        } = asked;
        let choice = choice(&query, shown, chosen);
        let context = self.context(&format!("#{}{choice}/$entity", query.dataset.name));
        query.limit = Some(1);
        let writer = JsonRow::new(&query, shown);
        let mut rows = catalogue::rows(query, caller, caller.snapshot().await?)?;
        let Some(row) = rows.next().await? else {
            return Ok(None);
        };
        let mut body = Body::new(self.gzip);
        body.plain.push(b'{');
        body.plain.extend_from_slice(context.as_bytes());
        let begun = body.plain.len();
        writer.write(&mut body.plain, &row)?;
        // The row's own bracket stands before the context already.
        body.plain.remove(begun);
        body.end().map(Some)
    }

    /// The address of the request, behind the page; `$top` is what is left of it.
    fn next(&self, token: &str, further: Option<u64>) -> String {
        let asked = self.uri.query().unwrap_or_default().split('&');
        let kept = asked.filter(|part| {
            let name = form_urlencoded::parse(part.as_bytes()).next();
            let name = name.map(|(name, _)| name).unwrap_or_default();
            !part.is_empty() && !["$skiptoken", "$skip", "$top"].contains(&&*name)
        });
        let mut parts: Vec<String> = kept.map(str::to_owned).collect();
        parts.extend(further.map(|further| format!("$top={further}")));
        parts.push(format!("$skiptoken={token}"));
        let path = self.uri.path().strip_prefix(ROOT).unwrap_or_default();
        format!("{}{path}?{}", self.root, parts.join("&"))
    }
}

/// The columns that were chosen, as a context says it.
fn choice(query: &DatasetQuery, shown: usize, chosen: bool) -> String {
    if !chosen {
        return String::new();
    }
    let names: Vec<&str> = query
        .columns
        .iter()
        .take(shown)
        .map(|one| one.name)
        .collect();
    format!("({})", names.join(","))
}

/// What a row has in the columns that are ordered by.
fn held(row: &DatasetRow, order: &[&'static Column]) -> Result<Vec<Literal>> {
    let mut all = Vec::new();
    row.each(|column, cell| all.push((column.name, token::literal(cell))))?;
    let of = |column: &&'static Column| {
        let found = all.iter().find(|(name, _)| *name == column.name);
        found.map_or(Literal::Null, |(_, literal)| literal.clone())
    };
    Ok(order.iter().map(of).collect())
}

/// Writes rows: what stands before each cell, `{"name":` or `,"name":`.
struct JsonRow(Vec<String>);

impl JsonRow {
    fn new(query: &DatasetQuery, shown: usize) -> Self {
        let columns = query.columns.iter().take(shown).enumerate();
        let before = columns.map(|(at, column)| {
            let open = if at == 0 { '{' } else { ',' };
            format!("{open}\"{}\":", column.name)
        });
        Self(before.collect())
    }

    fn write(&self, out: &mut Vec<u8>, row: &DatasetRow) -> Result<()> {
        let mut before = self.0.iter();
        row.each(|_, cell| {
            if let Some(before) = before.next() {
                out.extend_from_slice(before.as_bytes());
                json(out, cell);
            }
        })?;
        out.push(b'}');
        Ok(())
    }
}

/// An answer as it is being written.
struct Body {
    plain: Vec<u8>,
    gzip: Option<GzEncoder<Vec<u8>>>,
}

impl Body {
    fn new(gzip: bool) -> Self {
        Self {
            plain: Vec::new(),
            gzip: gzip.then(|| GzEncoder::new(Vec::new(), Compression::fast())),
        }
    }

    /// Packs what is written, once it is enough.
    fn settle(&mut self) -> Result<()> {
        if self.plain.len() >= CHUNK {
            self.pack()?;
        }
        Ok(())
    }

    fn pack(&mut self) -> Result<()> {
        if let Some(gzip) = &mut self.gzip {
            gzip.write_all(&self.plain).map_err(Error::internal)?;
            self.plain.clear();
        }
        Ok(())
    }

    fn end(mut self) -> Result<Vec<u8>> {
        self.pack()?;
        match self.gzip {
            Some(gzip) => gzip.finish().map_err(Error::internal),
            None => Ok(self.plain),
        }
    }
}
