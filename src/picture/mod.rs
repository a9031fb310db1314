//! A blueprint as a picture: SVG, alone or inside a page. A pure function over the canvas: the same canvas gives the
//! same bytes, and whatever the canvas does not tell its caller the picture does not tell either.
//!
//! `grid` says which column and row a card stands in, `route` which way a transition takes between them, `plan` what
//! that comes to in pixels, `compose` puts it all on a `drawing`, and `write` writes that.

mod card;
mod compose;
mod curve;
mod drawing;
mod edges;
mod gauge;
mod grid;
mod head;
mod legend;
mod plan;
mod route;
#[cfg(test)]
mod tests;
mod text;
mod write;

use chrono::NaiveDate;

pub use self::text::escape_xml_into;

use crate::{canvas::Canvas, scalar::PictureTheme};

/// The picture as an SVG document. The day is the one that the canvas was loaded for.
#[must_use]
pub fn to_svg(canvas: &Canvas, day: NaiveDate, theme: PictureTheme) -> String {
    write::write_svg(&compose::draw_blueprint(canvas, day), theme)
}

/// The picture in a page of its own.
#[must_use]
pub fn to_html(canvas: &Canvas, day: NaiveDate, theme: PictureTheme) -> String {
    write::write_html(&compose::draw_blueprint(canvas, day), theme)
}
