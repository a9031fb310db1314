//! `$metadata`: the datasets as CSDL 4.0 in XML, each an entity set of a type with its name, and the service document,
//! which names them. Navigation properties say which columns hold the keys of which other dataset, from which tools
//! draw their relationships; nothing is fetched along them.

use odata_filter::{PropertyFunction, TextFunction};
use serde_json::{Value, json};

use super::options::{custom_options, is_readable_by_key_alone};
use crate::{
    bi::model::dataset::{Column, ColumnType, Dataset},
    picture::escape_xml_into,
};

/// The namespace of the types.
const NAMESPACE: &str = "cx";

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
        .map(|dataset| entity_type_xml(dataset, datasets))
        .collect();
    let sets: String = datasets
        .iter()
        .map(|dataset| entity_set_xml(dataset, datasets))
        .collect();
    let functions = TextFunction::ALL.map(TextFunction::as_str);
    let others = PropertyFunction::ALL.map(PropertyFunction::as_str);
    let functions = functions.into_iter().chain(others);
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

/// A column that holds the key of a dataset's rows.
struct Reference {
    /// Its name as a navigation property: the column's without `_id`.
    name: &'static str,
    column: &'static Column,
    to: &'static str,
    key: &'static str,
}

/// The calendar, which days refer to.
const CALENDAR: &str = "dates";

/// The columns of a dataset that hold keys of rows: ids, and the day of the rows.
fn references_of(dataset: &Dataset, datasets: &[&Dataset]) -> Vec<Reference> {
    let of_kind = |kind: &str| {
        let named = |other: &&&Dataset| {
            let key = other.column(other.key);
            key.is_some_and(|key| matches!(key.of, ColumnType::Id(prefix) if prefix == kind))
        };
        datasets.iter().find(named)
    };
    let reference = |column: &'static Column| {
        let (to, name) = match column.of {
            ColumnType::Id(kind) if column.name != dataset.key => {
                (of_kind(kind)?, column.name.strip_suffix("_id")?)
            }
            ColumnType::Day if dataset.day == Some(column.name) && dataset.name != CALENDAR => {
                let calendar = datasets.iter().find(|other| other.name == CALENDAR)?;
                (calendar, "calendar")
            }
            _ => return None,
        };
        Some(Reference {
            name,
            column,
            to: to.name,
            key: to.key,
        })
    };
    dataset.columns.iter().filter_map(reference).collect()
}

fn navigation_xml(reference: &Reference) -> String {
    let Reference {
        name,
        column,
        to,
        key,
    } = reference;
    // Nullable even where the column is not: the other set may leave the row out, as the calendar does days before the
    // first measured one.
    format!(
        r#"        <NavigationProperty Name="{name}" Type="{NAMESPACE}.{to}" Nullable="true">
          <ReferentialConstraint Property="{}" ReferencedProperty="{key}"/>
        </NavigationProperty>
"#,
        column.name
    )
}

fn entity_type_xml(dataset: &Dataset, datasets: &[&Dataset]) -> String {
    let (name, key) = (dataset.name, dataset.key);
    let properties = dataset.columns.iter().map(property_xml);
    let references = references_of(dataset, datasets);
    let properties: String = properties
        .chain(references.iter().map(navigation_xml))
        .collect();
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

/// What is not offered of a dataset: terms of the vocabulary of capabilities, each with the property that says so.
const RESTRICTIONS: [(&str, &str, &str); 6] = [
    ("SearchRestrictions", "Searchable", r#"Bool="false""#),
    ("ExpandRestrictions", "Expandable", r#"Bool="false""#),
    (
        "NavigationRestrictions",
        "Navigability",
        r#"EnumMember="Org.OData.Capabilities.V1.NavigationType/None""#,
    ),
    ("InsertRestrictions", "Insertable", r#"Bool="false""#),
    ("UpdateRestrictions", "Updatable", r#"Bool="false""#),
    ("DeleteRestrictions", "Deletable", r#"Bool="false""#),
];

fn restriction_xml((term, property, value): (&str, &str, &str)) -> String {
    format!(
        r#"          <Annotation Term="Org.OData.Capabilities.V1.{term}">
            <Record>
              <PropertyValue Property="{property}" {value}/>
            </Record>
          </Annotation>
"#
    )
}

/// The options that are no options of OData.
fn custom_options_xml(dataset: &Dataset) -> String {
    let mut options = custom_options(dataset).peekable();
    if options.peek().is_none() {
        return String::new();
    }
    let options: String = options
        .map(|(name, meaning)| {
            let mut escaped = String::new();
            escape_xml_into(&meaning(), &mut escaped);
            format!(
                r#"                  <Record>
                    <PropertyValue Property="Name" String="{name}"/>
                    <PropertyValue Property="Description" String="{escaped}"/>
                    <PropertyValue Property="Required" Bool="false"/>
                  </Record>
"#
            )
        })
        .collect();
    format!(
        r#"          <Annotation Term="Org.OData.Capabilities.V1.ReadRestrictions">
            <Record>
              <PropertyValue Property="CustomQueryOptions">
                <Collection>
{options}                </Collection>
              </PropertyValue>
            </Record>
          </Annotation>
"#
    )
}

fn entity_set_xml(dataset: &Dataset, datasets: &[&Dataset]) -> String {
    let name = dataset.name;
    let binding = |reference: &Reference| {
        format!(
            "          <NavigationPropertyBinding Path=\"{}\" Target=\"{}\"/>\n",
            reference.name, reference.to
        )
    };
    let bindings: String = references_of(dataset, datasets)
        .iter()
        .map(binding)
        .collect();
    let restrictions: String = RESTRICTIONS.into_iter().map(restriction_xml).collect();
    let by_key = match is_readable_by_key_alone(dataset) {
        true => "",
        false => {
            "          <Annotation Term=\"Org.OData.Capabilities.V1.IndexableByKey\" Bool=\"false\"/>\n"
        }
    };
    let told = format!(
        "{bindings}  {}{by_key}{restrictions}{}",
        description_xml(dataset.description),
        custom_options_xml(dataset)
    );
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

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;
    use crate::bi::catalogue;

    #[test]
    fn what_refers_to_rows_has_a_name_of_its_own() {
        let mut references = 0;
        for dataset in catalogue::ALL.iter().copied() {
            let mut names: HashSet<&str> = dataset.columns.iter().map(|one| one.name).collect();
            for reference in references_of(dataset, catalogue::ALL) {
                let name = reference.name;
                assert!(names.insert(name), "{}: {name}", dataset.name);
                references += 1;
            }
        }
        assert!(references > 30, "{references}");
    }
}
