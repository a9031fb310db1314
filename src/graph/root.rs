//! The roots of the graph: each of their fields is nullable, whatever its resolver returns. So a root field that fails is
//! null beside its error, and the others of the document are answered; of several mutations those that were carried out
//! are told of.

use std::borrow::Cow;

use async_graphql::{
    ContainerType, Context, ContextSelectionSet, ObjectType, OutputType, Positioned, ServerResult,
    Value,
    parser::types::Field,
    registry::{MetaType, Registry},
};

/// A root whose fields are those of `T`, all of them nullable.
#[derive(Default)]
pub struct NullableFields<T>(T);

impl<T: ObjectType> ContainerType for NullableFields<T> {
    async fn resolve_field(&self, ctx: &Context<'_>) -> ServerResult<Option<Value>> {
        self.0.resolve_field(ctx).await.or_else(|error| {
            ctx.add_error(error);
            Ok(Some(Value::Null))
        })
    }

    async fn find_entity(&self, ctx: &Context<'_>, params: &Value) -> ServerResult<Option<Value>> {
        self.0.find_entity(ctx, params).await
    }
}

impl<T: ObjectType> OutputType for NullableFields<T> {
    fn type_name() -> Cow<'static, str> {
        T::type_name()
    }

    fn create_type_info(registry: &mut Registry) -> String {
        let qualified = T::create_type_info(registry);
        if let Some(MetaType::Object { fields, .. }) = registry.types.get_mut(&*T::type_name()) {
            for field in fields.values_mut() {
                let nullable = field.ty.trim_end_matches('!').len();
                field.ty.truncate(nullable);
            }
        }
        qualified
    }

    async fn resolve(
        &self,
        ctx: &ContextSelectionSet<'_>,
        field: &Positioned<Field>,
    ) -> ServerResult<Value> {
        self.0.resolve(ctx, field).await
    }
}

impl<T: ObjectType> ObjectType for NullableFields<T> {}
