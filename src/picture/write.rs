//! Writes a drawing as SVG, and that as a page. Every text is escaped here; nothing is placed.

use std::fmt::Write;

use super::{
    drawing::{Anchor, Area, Drawing, DrawingPart},
    text::{Font, escape_xml_into},
};
use crate::scalar::PictureTheme;

const RULES: &str = include_str!("style/rules.css");
const LIGHT: &str = include_str!("style/light.css");
const DARK: &str = include_str!("style/dark.css");

/// The drawing as one SVG document, the same for the same drawing.
pub(super) fn write_svg(drawing: &Drawing, theme: PictureTheme) -> String {
    let mut svg = String::with_capacity(drawing.parts.len() * 110 + 8192);
    let (width, height) = (format_number(drawing.width), format_number(drawing.height));
    // Writing to a string does not fail.
    let _ = write!(
        svg,
        "<svg xmlns=\"http://www.w3.org/2000/svg\" class=\"cxb\" viewBox=\"0 0 {width} {height}\" width=\"{width}\" \
         height=\"{height}\" role=\"img\" aria-labelledby=\"cxb-title cxb-desc\">\n<title id=\"cxb-title\">"
    );
    escape_xml_into(&drawing.title, &mut svg);
    svg.push_str("</title>\n<desc id=\"cxb-desc\">");
    escape_xml_into(&drawing.description, &mut svg);
    svg.push_str("</desc>\n<style>\n");
    write_style(theme, &mut svg);
    svg.push_str("</style>\n");
    let _ = writeln!(
        svg,
        "<rect class=\"paper\" width=\"{width}\" height=\"{height}\"/>"
    );
    for part in &drawing.parts {
        write_part(part, &mut svg);
    }
    svg.push_str("</svg>\n");
    svg
}

/// A page that holds a picture and asks for nothing else.
pub(super) fn write_html(drawing: &Drawing, theme: PictureTheme) -> String {
    let mut title = String::new();
    escape_xml_into(&drawing.title, &mut title);
    let scheme = match theme {
        PictureTheme::Auto => "light dark",
        PictureTheme::Light => "light",
        PictureTheme::Dark => "dark",
    };
    let svg = write_svg(drawing, theme);
    format!(
        "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\">\n\
         <meta name=\"viewport\" content=\"width=device-width\">\n<title>{title}</title>\n\
         <style>:root{{color-scheme:{scheme}}}body{{margin:0}}svg{{display:block;width:100%;height:auto;min-width:70rem}}\
         @page{{size:landscape;margin:0}}@media print{{svg{{min-width:0}}}}</style>\n\
         </head>\n<body>\n{svg}</body>\n</html>\n"
    )
}

fn write_style(theme: PictureTheme, svg: &mut String) {
    let _ = match theme {
        PictureTheme::Light => writeln!(svg, ".cxb{{{}}}", LIGHT.trim()),
        PictureTheme::Dark => writeln!(svg, ".cxb{{{}}}", DARK.trim()),
        PictureTheme::Auto => writeln!(
            svg,
            ".cxb{{{}}}\n@media (prefers-color-scheme:dark){{.cxb{{{}}}}}",
            LIGHT.trim(),
            DARK.trim()
        ),
    };
    svg.push_str(RULES);
}

fn write_part(part: &DrawingPart, svg: &mut String) {
    let _ = match part {
        DrawingPart::Open { class, told } => {
            let _ = write!(svg, "<g class=\"{class}\">");
            if !told.is_empty() {
                svg.push_str("<title>");
                // Lines of a tooltip are parted by what every text else is rid of.
                for (at, line) in told.lines().enumerate() {
                    svg.push_str(if at > 0 { "\n" } else { "" });
                    escape_xml_into(line, svg);
                }
                svg.push_str("</title>");
            }
            writeln!(svg)
        }
        DrawingPart::Close => writeln!(svg, "</g>"),
        DrawingPart::Rectangle { class, area, round } => {
            let Area {
                x,
                y,
                width,
                height,
            } = *area;
            let [x, y, width, height, round] = [x, y, width, height, *round].map(format_number);
            writeln!(
                svg,
                "<rect class=\"{class}\" x=\"{x}\" y=\"{y}\" width=\"{width}\" height=\"{height}\" rx=\"{round}\"/>"
            )
        }
        DrawingPart::Path { class, path } => {
            let _ = write!(svg, "<path class=\"{class}\" d=\"");
            write_path(path, svg);
            writeln!(svg, "\"/>")
        }
        DrawingPart::Text {
            class,
            font,
            anchor,
            x,
            y,
            text,
        } => {
            let (x, y) = (format_number(*x), format_number(*y));
            let _ = write!(svg, "<text class=\"{class}\" x=\"{x}\" y=\"{y}\"");
            write_font(*font, *anchor, text, svg);
            escape_xml_into(text, svg);
            writeln!(svg, "</text>")
        }
    };
}

/// A path with all its numbers to a tenth.
fn write_path(path: &str, svg: &mut String) {
    let of_number = |c: char| c.is_ascii_digit() || matches!(c, '.' | '-');
    let mut rest = path;
    while let Some(at) = rest.find(of_number) {
        let (before, from) = rest.split_at(at);
        let end = from.find(|c| !of_number(c)).unwrap_or(from.len());
        let (text, after) = from.split_at(end);
        svg.push_str(before);
        svg.push_str(&text.parse().map_or_else(|_| text.to_owned(), format_number));
        rest = after;
    }
    svg.push_str(rest);
}

fn write_font(font: Font, anchor: Anchor, text: &str, svg: &mut String) {
    let _ = write!(svg, " font-size=\"{}\"", format_number(font.size));
    if font.bold {
        svg.push_str(" font-weight=\"700\"");
    }
    if font.spacing > 0.0 {
        let _ = write!(svg, " letter-spacing=\"{}\"", format_number(font.spacing));
    }
    // A browser without the family takes another, which may be wider; this keeps every label where it was planned.
    if let Some(width) = font.exact_width(text).filter(|width| *width > 0.0) {
        let width = format_number(width);
        let _ = write!(
            svg,
            " textLength=\"{width}\" lengthAdjust=\"spacingAndGlyphs\""
        );
    }
    svg.push_str(match anchor {
        Anchor::Start => ">",
        Anchor::Middle => " text-anchor=\"middle\">",
        Anchor::End => " text-anchor=\"end\">",
    });
}

/// To a tenth of a pixel.
fn format_number(value: f64) -> String {
    let text = format!("{value:.1}");
    text.strip_suffix(".0").unwrap_or(&text).to_owned()
}
