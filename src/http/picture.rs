//! `GET /blueprints/{key}.svg`: a blueprint as a picture, for whoever sends a token, or a link that was signed
//! for them a moment ago. It draws nothing, and tells nobody of what they may not read.

use axum::{
    extract::{Extension, Path, Query, State, rejection::QueryRejection},
    http::{HeaderMap, StatusCode, header},
    response::{IntoResponse, Response},
};
use chrono::NaiveDate;
use clap::ValueEnum;
use entity::blueprint;
use sea_orm::{ColumnTrait, Condition};
use serde::Deserialize;
use tokio::time::timeout;

use super::{
    admission::slot_holder_of_address,
    app::App,
    auth,
    client::RequestSource,
    negotiate::{EntityTag, set_static_headers},
    problem::{error_response, not_found_response, overloaded_response, problem_response},
    request_id::RequestId,
};
use crate::{
    access::{self, Caller, HasKeyColumn},
    canvas::Canvas,
    compute::WorkBudget,
    error::{Code, Error, Result},
    picture,
    scalar::{Date, PictureTheme},
};

/// What may stand after the question mark.
#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct PictureParams {
    as_of: Option<String>,
    theme: Option<String>,
    link: Option<String>,
}

const ASK: &str = "Ask with `asOf` (a day such as 2026-11-22) and `theme` (auto, light or dark), each at most once, or \
                   with the `link` that was signed for you alone.";

/// A picture that is asked for, and by whom.
struct PictureRequest {
    caller: Caller,
    which: Condition,
    day: NaiveDate,
    theme: PictureTheme,
}

/// Answers with the picture.
pub async fn serve(
    State(app): State<App>,
    Extension(id): Extension<RequestId>,
    client: RequestSource,
    Path(file): Path<String>,
    headers: HeaderMap,
    asked: Result<Query<PictureParams>, QueryRejection>,
) -> Response {
    let Some(key) = file.strip_suffix(".svg") else {
        return not_found_response(&id);
    };
    let client = client.address(app.forwarded_hops);
    let Ok(_slot) = app
        .admission
        .queries
        .wait_for_slot(slot_holder_of_address(client))
        .await
    else {
        return overloaded_response(&id);
    };
    let drawn = timeout(
        app.settings.deadline,
        draw_picture(&app, &id, key, &headers, asked),
    );
    match drawn.await {
        Ok(Ok(Some(svg))) => respond(svg, &headers),
        Ok(Ok(None)) => {
            let message = "There is no such blueprint.";
            problem_response(StatusCode::NOT_FOUND, Code::NotFound, message, &id)
        }
        Ok(Err(error)) => error_response(&error, &id),
        Err(_) => {
            let message = "The picture took too long and was cancelled.";
            problem_response(StatusCode::GATEWAY_TIMEOUT, Code::Timeout, message, &id)
        }
    }
}

async fn draw_picture(
    app: &App,
    id: &RequestId,
    key: &str,
    headers: &HeaderMap,
    asked: Result<Query<PictureParams>, QueryRejection>,
) -> Result<Option<String>> {
    let wanted = match asked {
        Ok(Query(PictureParams {
            as_of,
            theme,
            link: Some(link),
        })) => match (as_of, theme) {
            (None, None) => authorise_with_link(app, id, &link).await?,
            _ => return Err(malformed_query_error()),
        },
        asked => {
            // Who has not signed in is told that first, whatever they ask.
            let caller = auth::identify_program(app, headers, id).await?;
            let Query(asked) = asked.map_err(|_| malformed_query_error())?;
            authorise_with_token(caller, &asked)?
        }
    };
    let which = wanted.which.add(blueprint::Entity::key_condition(key));
    let canvas = Canvas::find(&wanted.caller, which, wanted.day).await?;
    let Some(canvas) = canvas else {
        return Ok(None);
    };
    let (day, theme) = (wanted.day, wanted.theme);
    let draw = move |_: &WorkBudget| Ok(Some(picture::to_svg(&canvas, day, theme)));
    wanted.caller.run_on_compute_pool(draw).await
}

fn malformed_query_error() -> Error {
    Error::BadInput(ASK.to_owned())
}

/// What is asked for with a token.
fn authorise_with_token(caller: Caller, asked: &PictureParams) -> Result<PictureRequest> {
    let day = match &asked.as_of {
        Some(day) => Some(Date::from_iso(day).ok_or_else(malformed_query_error)?),
        None => None,
    };
    let day = caller.day_or_today(day)?;
    let theme = match &asked.theme {
        Some(theme) => PictureTheme::from_str(theme, true).map_err(|_| malformed_query_error())?,
        None => PictureTheme::Auto,
    };
    Ok(PictureRequest {
        caller,
        which: Condition::all(),
        day,
        theme,
    })
}

/// What a link shows, to its account with its rights as they are now.
async fn authorise_with_link(app: &App, id: &RequestId, link: &str) -> Result<PictureRequest> {
    let (signed, shown) = app.key.verify_picture_link(link, app.clock.now())?;
    let request_id = std::sync::Arc::clone(&id.0);
    let caller = access::identify_session(
        &app.store,
        &app.clock,
        signed.session,
        signed.account,
        request_id,
    )
    .await?;
    Ok(PictureRequest {
        caller,
        which: Condition::all().add(blueprint::Column::Id.eq(shown.blueprint)),
        day: shown.day,
        theme: shown.theme,
    })
}

/// The picture, or word that the client has it already.
fn respond(svg: String, headers: &HeaderMap) -> Response {
    // Weak: the same picture comes compressed and not.
    let tag = EntityTag::weak(&[svg.as_bytes()]);
    let known = tag.matches_if_none_match(headers);
    let mut response = match known {
        true => StatusCode::NOT_MODIFIED.into_response(),
        false => svg.into_response(),
    };
    let fixed = [
        (header::CONTENT_TYPE, "image/svg+xml; charset=utf-8"),
        (header::CACHE_CONTROL, "private, no-cache"),
        (header::VARY, "Authorization, Accept-Encoding"),
        (header::CONTENT_SECURITY_POLICY, POLICY),
        (header::REFERRER_POLICY, "no-referrer"),
    ];
    set_static_headers(&mut response, fixed);
    tag.insert_into(response.headers_mut());
    response
}

/// A picture that is opened by itself runs nothing and loads nothing.
const POLICY: &str = "default-src 'none'; style-src 'unsafe-inline'";
