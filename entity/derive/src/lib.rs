//! `#[derive(FromCells)]`: a model is read from a row's cells in the order of its fields, so that they are listed once.

use proc_macro2::TokenStream;
use quote::quote;
use syn::{Data, DeriveInput, Error, Fields, Ident, Result, ext::IdentExt, parse_macro_input};

/// Implements `entity::read::FromCells` and `entity::read::StoredModel` for a struct with named fields: its columns
/// bear the names of the fields and are read in their order.
#[proc_macro_derive(FromCells)]
pub fn derive_from_cells(input: proc_macro::TokenStream) -> proc_macro::TokenStream {
    let input = parse_macro_input!(input as DeriveInput);
    implement_from_cells(&input)
        .unwrap_or_else(Error::into_compile_error)
        .into()
}

fn implement_from_cells(input: &DeriveInput) -> Result<TokenStream> {
    let name = &input.ident;
    let fields = named_fields(input)?;
    let columns = fields.iter().map(|field| field.unraw().to_string());
    Ok(quote! {
        impl crate::read::StoredModel for #name {
            const COLUMNS: &'static [&'static str] = &[#(#columns),*];
        }

        impl crate::read::FromCells for #name {
            fn from_cells(cells: &mut crate::read::RowCursor<'_>) -> Result<Self, sea_orm::DbErr> {
                Ok(Self { #(#fields: cells.read_next()?),* })
            }
        }
    })
}

fn named_fields(input: &DeriveInput) -> Result<Vec<&Ident>> {
    if let Data::Struct(data) = &input.data
        && let Fields::Named(fields) = &data.fields
    {
        let names = fields.named.iter();
        return Ok(names.filter_map(|field| field.ident.as_ref()).collect());
    }
    let sentence = "FromCells is for structs with named fields, each of which is a column.";
    Err(Error::new_spanned(input, sentence))
}
