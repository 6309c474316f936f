//! Drawing.

use super::{Bars, Chart, Flows, Lines, Matrix, Timeline};

/// A chart as a document of its own, with its style, readable on light and on dark.
pub fn draw(chart: &Chart) -> String {
    let title = match chart {
        Chart::Bars(Bars { title, .. })
        | Chart::Lines(Lines { title, .. })
        | Chart::Matrix(Matrix { title, .. })
        | Chart::Timeline(Timeline { title, .. })
        | Chart::Flows(Flows { title, .. }) => title,
    };
    format!("<svg xmlns=\"http://www.w3.org/2000/svg\" role=\"img\"><title>{title}</title></svg>")
}
