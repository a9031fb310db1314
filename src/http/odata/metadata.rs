//! `$metadata`: the datasets as CSDL 4.0 in XML, each an entity set of a type with its name, and the service document,
//! which names them.

use odata_filter::TextFunction;
use serde_json::{Value, json};

use crate::{
    bi::model::dataset::{Column, ColumnType, Dataset},
    picture::escape_xml_into,
};

/// The namespace of the types.
const NAMESPACE: &str = "cx";

/// Functions of `$filter` besides those of texts.
const OTHERS: &[&str] = &["year"];

const HEAD: &str = r#"<?xml version="1.0" encoding="utf-8"?>
<edmx:Edmx Version="4.0" xmlns:edmx="http://docs.oasis-open.org/odata/ns/edmx">
  <edmx:Reference Uri="https://oasis-tcs.github.io/odata-vocabularies/vocabularies/Org.OData.Core.V1.xml">
    <edmx:Include Namespace="Org.OData.Core.V1"/>
  </edmx:Reference>
  <edmx:Reference Uri="https://oasis-tcs.github.io/odata-vocabularies/vocabularies/Org.OData.Capabilities.V1.xml">
    <edmx:Include Namespace="Org.OData.Capabilities.V1"/>
  </edmx:Reference>
  <edmx:DataServices>
"#;

const TAIL: &str = "  </edmx:DataServices>\n</edmx:Edmx>\n";

/// `$metadata` of these datasets.
#[must_use]
pub fn metadata_document(datasets: &[&Dataset]) -> String {
    let types: String = datasets
        .iter()
        .map(|dataset| entity_type_xml(dataset))
        .collect();
    let sets: String = datasets
        .iter()
        .map(|dataset| entity_set_xml(dataset))
        .collect();
    let functions = TextFunction::ALL.map(TextFunction::as_str);
    let functions = functions.into_iter().chain(OTHERS.iter().copied());
    let functions: String = functions
        .map(|name| format!("            <String>{name}</String>\n"))
        .collect();
    format!(
        r#"{HEAD}    <Schema Namespace="{NAMESPACE}" xmlns="http://docs.oasis-open.org/odata/ns/edm">
{types}      <EntityContainer Name="bi">
{sets}        <Annotation Term="Org.OData.Capabilities.V1.BatchSupported" Bool="false"/>
        <Annotation Term="Org.OData.Capabilities.V1.FilterFunctions">
          <Collection>
{functions}          </Collection>
        </Annotation>
      </EntityContainer>
    </Schema>
{TAIL}"#
    )
}

/// The members of the service document.
#[must_use]
pub fn service_document_entries(datasets: &[&Dataset]) -> Vec<Value> {
    let datasets = datasets.iter().map(|dataset| dataset.name);
    datasets
        .map(|name| json!({ "name": name, "kind": "EntitySet", "url": name }))
        .collect()
}

fn entity_type_xml(dataset: &Dataset) -> String {
    let (name, key) = (dataset.name, dataset.key);
    let properties: String = dataset.columns.iter().map(property_xml).collect();
    format!(
        r#"      <EntityType Name="{name}">
        <Key>
          <PropertyRef Name="{key}"/>
        </Key>
{properties}      </EntityType>
"#
    )
}

fn property_xml(column: &Column) -> String {
    let mut facets = String::new();
    if let ColumnType::Instant = column.of {
        // Without it moments have whole seconds.
        facets.push_str(r#" Precision="6""#);
    }
    format!(
        "        <Property Name=\"{}\" Type=\"{}\" Nullable=\"{}\"{facets}>\n  {}        </Property>\n",
        column.name,
        edm_type(column.of),
        column.nullable,
        description_xml(column.description),
    )
}

const fn edm_type(of: ColumnType) -> &'static str {
    match of {
        ColumnType::Id(_) | ColumnType::Text | ColumnType::Word(_) => "Edm.String",
        ColumnType::Day => "Edm.Date",
        ColumnType::Instant => "Edm.DateTimeOffset",
        ColumnType::Integer => "Edm.Int32",
        ColumnType::Number => "Edm.Double",
        ColumnType::Boolean => "Edm.Boolean",
    }
}

fn entity_set_xml(dataset: &Dataset) -> String {
    let name = dataset.name;
    let told = format!("  {}", description_xml(dataset.description));
    format!(
        r#"        <EntitySet Name="{name}" EntityType="{NAMESPACE}.{name}">
{told}        </EntitySet>
"#
    )
}

fn description_xml(text: &str) -> String {
    let mut escaped = String::new();
    escape_xml_into(text, &mut escaped);
    format!("        <Annotation Term=\"Org.OData.Core.V1.Description\" String=\"{escaped}\"/>\n")
}
