//! A drawing of shapes and texts with their places: what a picture comes to before it is written. It knows neither
//! blueprints nor SVG.

use super::text::Font;

/// Where something lies, from its upper left corner.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct Area {
    pub x: f64,
    pub y: f64,
    pub width: f64,
    pub height: f64,
}

/// Which point of a text lies at its place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Anchor {
    Start,
    Middle,
    End,
}

/// A part of a drawing. Its class says what it is; colours come from there.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum DrawingPart {
    /// What belongs together, with a sentence for whoever points at it.
    Open {
        class: &'static str,
        told: String,
    },
    Close,
    Rectangle {
        class: &'static str,
        area: Area,
        round: f64,
    },
    Path {
        class: &'static str,
        path: String,
    },
    Text {
        class: &'static str,
        font: Font,
        anchor: Anchor,
        /// On the line that letters stand on.
        x: f64,
        y: f64,
        text: String,
    },
}

/// A drawing.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Drawing {
    pub width: f64,
    pub height: f64,
    pub title: String,
    /// In words what is to be seen.
    pub description: String,
    pub parts: Vec<DrawingPart>,
}

impl Drawing {
    pub(super) fn add_group(
        &mut self,
        class: &'static str,
        told: String,
        draw: impl FnOnce(&mut Self),
    ) {
        self.parts.push(DrawingPart::Open { class, told });
        draw(self);
        self.parts.push(DrawingPart::Close);
    }

    pub(super) fn add_rectangle(&mut self, class: &'static str, area: Area, round: f64) {
        self.parts
            .push(DrawingPart::Rectangle { class, area, round });
    }

    pub(super) fn add_path(&mut self, class: &'static str, path: String) {
        self.parts.push(DrawingPart::Path { class, path });
    }

    /// A text that begins at this place.
    pub(super) fn add_text(
        &mut self,
        class: &'static str,
        font: Font,
        (x, y): (f64, f64),
        text: &str,
    ) {
        self.add_anchored_text(class, font, Anchor::Start, (x, y), text);
    }

    pub(super) fn add_anchored_text(
        &mut self,
        class: &'static str,
        font: Font,
        anchor: Anchor,
        (x, y): (f64, f64),
        text: &str,
    ) {
        if !text.is_empty() {
            self.parts.push(DrawingPart::Text {
                class,
                font,
                anchor,
                x,
                y,
                text: text.to_owned(),
            });
        }
    }

    /// Lines of text below one another; gives the place of the line that would come next.
    pub(super) fn add_text_lines(
        &mut self,
        class: &'static str,
        font: Font,
        (x, mut y): (f64, f64),
        leading: f64,
        lines: &[String],
    ) -> f64 {
        for line in lines {
            self.add_text(class, font, (x, y), line);
            y += leading;
        }
        y
    }
}
