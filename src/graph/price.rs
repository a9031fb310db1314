//! Computes the complexity of a document that was refused for it, so that the refusal can say by how much. By a second
//! schema, whose extension stops after validation: with any extension, async-graphql resolves every field the slow way.

use std::sync::{Arc, LazyLock};

use async_graphql::{
    Request, ServerError, ValidationResult, Value,
    async_trait::async_trait,
    extensions::{Extension, ExtensionContext, ExtensionFactory, NextValidation},
};

use super::{Api, COMPLEXITY, builder};

static PRICED: LazyLock<Api> = LazyLock::new(|| builder().extension(CostOnlyExtension).finish());

const COST: &str = "cost";

/// Ends a request after its validation, with an error that carries its cost.
struct CostOnlyExtension;

impl ExtensionFactory for CostOnlyExtension {
    fn create(&self) -> Arc<dyn Extension> {
        Arc::new(Self)
    }
}

#[async_trait]
impl Extension for CostOnlyExtension {
    async fn validation(
        &self,
        ctx: &ExtensionContext<'_>,
        next: NextValidation<'_>,
    ) -> Result<ValidationResult, Vec<ServerError>> {
        let cost = next.run(ctx).await?.complexity;
        let mut priced = ServerError::new("This is priced, and not run.", None);
        priced.extensions.get_or_insert_default().set(COST, cost);
        Err(vec![priced])
    }
}

/// The complexity of a request, which is validated and not run; none where it is not valid.
pub async fn estimate_cost(request: Request) -> Option<u64> {
    let priced = PRICED.execute(request).await;
    let extensions = priced.errors.first()?.extensions.as_ref()?;
    match extensions.get(COST)? {
        Value::Number(cost) => cost.as_u64(),
        _ => None,
    }
}

/// The sentence for a document that is too complex.
#[must_use]
pub fn too_complex_sentence(cost: Option<u64>) -> String {
    let much = match cost {
        Some(cost) => format!("The operation costs {cost}, and {COMPLEXITY} is the most."),
        None => "The operation costs more than one may.".to_owned(),
    };
    format!(
        "{much} A list costs what one of it does, as often as `first` says (50 unless said): ask for fewer, such as \
         `links(first: 20)`, for less of each, or in several requests."
    )
}
