//! Small drawings beside words. They are decoration: the word beside each says the same.

use maud::{Markup, html};

/// What is drawn, on a grid of 16.
#[derive(Clone, Copy)]
pub(super) enum Icon {
    Check,
    Cross,
    Clock,
    Minus,
    Dot,
    Bell,
    Bolt,
    Comment,
    Inbox,
    Edit,
    Alert,
    Mail,
    Search,
}

/// Draws it in the colour of the text around.
pub(super) fn icon(icon: Icon) -> Markup {
    let path = match icon {
        Icon::Check => "M3.5 8.5l3 3 6-7",
        Icon::Cross => "M4.5 4.5l7 7m0-7l-7 7",
        Icon::Clock => "M8 4.5V8l2.5 1.5M14 8A6 6 0 1 1 2 8a6 6 0 0 1 12 0z",
        Icon::Minus => "M4 8h8",
        Icon::Dot => "M10.5 8a2.5 2.5 0 1 1-5 0 2.5 2.5 0 0 1 5 0z",
        Icon::Bell => "M8 2.5a4 4 0 0 0-4 4c0 3.500-1.500 4.500-1.500 5h11c0-.5-1.500-1.500-1.500-5a4 4 0 0 0-4-4zM6.500 14h3",
        Icon::Bolt => "M9 1.500L3.500 9H8l-1 5.500L12.500 7H8z",
        Icon::Comment => "M2.500 3.500h11v7.500h-6l-3 2.500V11h-2z",
        Icon::Inbox => "M2 9l2-6h8l2 6v4H2zM2 9h3.500l1 2h3l1-2H14",
        Icon::Edit => "M3 13l.6-2.800L10.500 3.300l2.200 2.200-6.900 6.900zM9 5l2 2",
        Icon::Alert => "M8 2L1.500 13.500h13zM8 6.500v3.500m0 1.800v.2",
        Icon::Search => "M11 7a4 4 0 1 1-8 0 4 4 0 0 1 8 0zM10 10l4 4",
        Icon::Mail => "M2 4h12v8.500H2zM2 4.500l6 4.500 6-4.500",
    };
    html! {
        svg.icon viewBox="0 0 16 16" aria-hidden="true" focusable="false" {
            path d=(path) fill="none" stroke="currentColor" stroke-width="1.6" stroke-linecap="round" stroke-linejoin="round" {}
        }
    }
}
