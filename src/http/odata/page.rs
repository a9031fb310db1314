//! Pages of rows as OData's JSON: written whole, with a link to the next page at its end where there is one.

use std::io::Write;

use axum::http::Uri;
use flate2::{Compression, write::GzEncoder};
use odata_filter::Literal;
use serde_json::Value;

use super::{address::ROOT, headers::MetadataLevel, options::ParsedODataOptions, token};
use crate::{
    access::Caller,
    bi::{catalogue, model::dataset::Column, model::query::DatasetQuery, source::row::DatasetRow},
    error::{Error, Result},
    http::row::{CHUNK, JsonRowWriter},
    json::JsonWriter,
};

/// Rows of a page where `Prefer` asks for no other number.
pub(super) const USUAL: u64 = 5_000;

/// Writes the answer of one request.
pub(super) struct ODataWriter<'r> {
    /// The address of the service.
    pub root: &'r str,
    pub uri: &'r Uri,
    pub level: MetadataLevel,
    pub gzip: bool,
    /// Most rows of a page.
    pub size: u64,
}

impl ODataWriter<'_> {
    /// The member `@odata.context`, with a comma after it; nothing where no metadata is wanted.
    fn context_json_member(&self, of: &str) -> String {
        match self.level {
            MetadataLevel::Bare => String::new(),
            MetadataLevel::Minimal => {
                let context = format!("{}$metadata{of}", self.root);
                format!("\"@odata.context\":{},", Value::from(context))
            }
        }
    }

    /// A short list, such as that of the entity sets.
    pub(super) fn write_list(&self, of: &str, list: &[Value]) -> Result<Vec<u8>> {
        let mut body = PageBodyWriter::new(self.gzip);
        let list = serde_json::to_string(list).map_err(Error::internal)?;
        write!(
            body.plain.bytes(),
            "{{{}\"value\":{list}}}",
            self.context_json_member(of)
        )
        .map_err(Error::internal)?;
        body.finish()
    }

    /// A page of rows, and with `$count` their number, both from one snapshot.
    pub(super) async fn write_rows(
        &self,
        caller: &Caller,
        params: ParsedODataOptions,
    ) -> Result<Vec<u8>> {
        let ParsedODataOptions {
            mut query,
            shown,
            chosen,
            count,
            top,
        } = params;
        let tx = caller.begin_snapshot().await?;
        let mut body = PageBodyWriter::new(self.gzip);
        let set = format!(
            "#{}{}",
            query.dataset.name,
            select_list_text(&query, shown, chosen)
        );
        write!(body.plain.bytes(), "{{{}", self.context_json_member(&set))
            .map_err(Error::internal)?;
        if count {
            let counted = catalogue::count_rows(&query, caller, &tx).await?;
            write!(body.plain.bytes(), "\"@odata.count\":{counted},").map_err(Error::internal)?;
        }
        body.plain.raw("\"value\":[");
        let mut left = top.unwrap_or(u64::MAX).min(self.size);
        // What `$top` still leaves behind this page goes into the link, or every page would begin to count anew.
        let further = top.map(|top| top - left);
        let order = query.order.clone();
        // One row more than is shown tells whether there is a next page.
        query.limit = Some(match further {
            Some(0) => left,
            _ => left + 1,
        });
        let writer = JsonRowWriter::new(shown_names(&query, shown));
        let mut rows = catalogue::stream_rows(query, caller, tx).await?;
        let (mut last, mut more) = (None::<DatasetRow>, false);
        while let Some(row) = rows.next().await? {
            if left == 0 {
                more = true;
                break;
            }
            left -= 1;
            if last.is_some() {
                body.plain.raw(",");
            }
            writer.write(&mut body.plain, &row, None)?;
            body.compress_full_chunk()?;
            last = Some(row);
        }
        body.plain.raw("]");
        if let Some(row) = last.filter(|_| more) {
            let order: Vec<&Column> = order.iter().map(|(column, _)| *column).collect();
            let token = token::encode_skiptoken(&row.key()?, &read_orderby_values(&row, &order)?);
            let link = Value::from(self.next_link(&token, further));
            write!(body.plain.bytes(), ",\"@odata.nextLink\":{link}").map_err(Error::internal)?;
        }
        body.plain.raw("}");
        body.finish()
    }

    /// The row with the key; nothing where there is none that the caller may read.
    pub(super) async fn write_row(
        &self,
        caller: &Caller,
        params: ParsedODataOptions,
    ) -> Result<Option<Vec<u8>>> {
        let ParsedODataOptions {
            mut query,
            shown,
            chosen,
            ..
        } = params;
        let select_list = select_list_text(&query, shown, chosen);
        let context =
            self.context_json_member(&format!("#{}{select_list}/$entity", query.dataset.name));
        query.limit = Some(1);
        let writer = JsonRowWriter::new(shown_names(&query, shown));
        let mut rows =
            catalogue::stream_rows(query, caller, caller.begin_snapshot().await?).await?;
        let Some(row) = rows.next().await? else {
            return Ok(None);
        };
        let mut body = PageBodyWriter::new(self.gzip);
        body.plain.raw("{");
        body.plain.raw(&context);
        let begun = body.plain.bytes().len();
        writer.write(&mut body.plain, &row, None)?;
        // The row brings an opening bracket of its own, and the context stands before its first member.
        body.plain.bytes().remove(begun);
        body.finish().map(Some)
    }

    /// The link to the page after this one: the address of the request, with what is left of `$top`.
    fn next_link(&self, token: &str, further: Option<u64>) -> String {
        let asked = self.uri.query().unwrap_or_default().split('&');
        // Kept as they were sent, and not written anew: another spelling would be another address for caches and
        // logs.
        let kept = asked.filter(|part| {
            // Decoded, since `%24skip` is `$skip` as well.
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

/// The columns that `$select` chose, as `@odata.context` lists them: `(name,…)`.
fn select_list_text(query: &DatasetQuery, shown: usize, chosen: bool) -> String {
    if !chosen {
        return String::new();
    }
    let names: Vec<&str> = shown_names(query, shown).collect();
    format!("({})", names.join(","))
}

/// The columns that are shown, which are the first of the query's.
fn shown_names(query: &DatasetQuery, shown: usize) -> impl Iterator<Item = &'static str> {
    query.columns.iter().take(shown).map(|column| column.name)
}

/// The values of a row in the columns of `$orderby`.
fn read_orderby_values(row: &DatasetRow, order: &[&'static Column]) -> Result<Vec<Literal>> {
    let mut all = Vec::new();
    row.for_each_cell(|column, cell| all.push((column.name, token::cell_to_literal(cell))))?;
    let of = |column: &&'static Column| {
        let found = all.iter().find(|(name, _)| *name == column.name);
        found.map_or(Literal::Null, |(_, literal)| literal.clone())
    };
    Ok(order.iter().map(of).collect())
}

/// The body of an answer, compressed as it grows.
struct PageBodyWriter {
    plain: JsonWriter,
    gzip: Option<GzEncoder<Vec<u8>>>,
}

impl PageBodyWriter {
    fn new(gzip: bool) -> Self {
        Self {
            plain: JsonWriter::default(),
            // Fast: rows repeat the same words and shrink well even so, and the client waits for the whole page.
            gzip: gzip.then(|| GzEncoder::new(Vec::new(), Compression::fast())),
        }
    }

    /// Compresses what is written, once it is a chunk.
    fn compress_full_chunk(&mut self) -> Result<()> {
        if self.plain.bytes().len() >= CHUNK {
            self.compress()?;
        }
        Ok(())
    }

    fn compress(&mut self) -> Result<()> {
        if let Some(gzip) = &mut self.gzip {
            gzip.write_all(self.plain.bytes())
                .map_err(Error::internal)?;
            self.plain.bytes().clear();
        }
        Ok(())
    }

    fn finish(mut self) -> Result<Vec<u8>> {
        self.compress()?;
        match self.gzip {
            Some(gzip) => gzip.finish().map_err(Error::internal),
            None => self.plain.finish().map_err(Error::internal),
        }
    }
}
