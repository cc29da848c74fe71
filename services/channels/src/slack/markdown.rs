//! A caller's markdown as Slack's own mrkdwn, cut to fit without leaving anything open.
//!
//! A link is always shown as its address, so that no words can say another one; HTML and images of
//! the caller become text.

use events::{
    line::{line, tame},
    weight,
};
use pulldown_cmark::{Event, Options, Parser, Tag, TagEnd};

use super::text::{escaped, length};

/// The longest address that is made a link.
const LINK_MAX: usize = 500;
/// The deepest list that stands further in than the one around it.
const DEPTH_MAX: usize = 6;
/// Kept back for what must be closed at the end.
const RESERVE: usize = 12;

/// Converts; at most `max` UTF-16 units, and whether something was left out.
pub(super) fn mrkdwn(markdown: &str, max: usize) -> (String, bool) {
    let mut writer =
        Writer { out: String::new(), left: max.saturating_sub(RESERVE), open: Vec::new(), full: false, at_mark: false, cells: 0 };
    if weight::markdown(markdown).excess().is_some() {
        // Beyond what is formatted anywhere: as it was written.
        writer.text(markdown);
        return writer.end();
    }
    for event in Parser::new_ext(markdown, Options::ENABLE_TABLES | Options::ENABLE_STRIKETHROUGH) {
        if writer.full {
            break;
        }
        writer.event(event);
    }
    writer.end()
}

/// Something that was opened and is still to be closed.
enum Open {
    Style(&'static str),
    /// The address that follows the words.
    Link(String),
    /// The number of the next item, in a numbered list.
    List(Option<u64>),
    Code,
}

struct Writer {
    out: String,
    left: usize,
    open: Vec<Open>,
    full: bool,
    /// Whether the mark of an item is the last that was written.
    at_mark: bool,
    /// How many cells the row at hand has.
    cells: usize,
}

impl Writer {
    fn event(&mut self, event: Event<'_>) {
        match event {
            Event::Start(tag) => self.start(tag),
            Event::End(tag) => self.close(tag),
            Event::Text(text) | Event::Html(text) | Event::InlineHtml(text) => self.text(&text),
            Event::Code(code) => self.whole(&format!("`{}`", escaped(&line(&code.replace('`', "ˋ"))))),
            Event::SoftBreak | Event::HardBreak => self.whole("\n"),
            Event::Rule => self.paragraph("———\n"),
            _ => {}
        }
    }

    fn start(&mut self, tag: Tag<'_>) {
        match tag {
            Tag::Heading { .. } => {
                self.paragraph("");
                self.style("*");
            }
            Tag::Paragraph if !self.in_list() => self.paragraph(""),
            // The first paragraph of an item stands beside its mark, a further one below.
            Tag::Paragraph if !self.at_mark => {
                self.fresh_line();
                self.whole(&"    ".repeat(self.depth().min(DEPTH_MAX)));
            }
            Tag::TableHead | Tag::TableRow => self.cells = 0,
            Tag::TableCell => {
                if self.cells > 0 {
                    self.whole(" | ");
                }
                self.cells += 1;
            }
            Tag::Strong => self.style("*"),
            Tag::Emphasis => self.style("_"),
            Tag::Strikethrough => self.style("~"),
            Tag::Link { dest_url, .. } | Tag::Image { dest_url, .. } => self.open.push(Open::Link(dest_url.into_string())),
            Tag::List(first) => {
                if !self.in_list() {
                    self.paragraph("");
                }
                self.open.push(Open::List(first));
            }
            Tag::Item => self.item(),
            Tag::CodeBlock(_) => {
                self.paragraph("```\n");
                self.open.push(Open::Code);
            }
            Tag::Table(_) | Tag::BlockQuote(_) | Tag::HtmlBlock => self.paragraph(""),
            _ => {}
        }
    }

    fn close(&mut self, tag: TagEnd) {
        match tag {
            TagEnd::Strong | TagEnd::Emphasis | TagEnd::Strikethrough | TagEnd::CodeBlock => self.shut(),
            TagEnd::Heading(_) => {
                self.shut();
                self.whole("\n");
            }
            TagEnd::Link | TagEnd::Image => {
                if let Some(Open::Link(url)) = self.open.pop() {
                    self.address(&url);
                }
            }
            TagEnd::List(_) => {
                self.open.pop();
                self.fresh_line();
            }
            TagEnd::Item | TagEnd::TableRow | TagEnd::TableHead => self.fresh_line(),
            TagEnd::Paragraph if !self.in_list() => self.fresh_line(),
            _ => {}
        }
    }

    fn in_list(&self) -> bool {
        self.open.iter().any(|open| matches!(open, Open::List(_)))
    }

    fn depth(&self) -> usize {
        self.open.iter().filter(|open| matches!(open, Open::List(_))).count()
    }

    /// An empty line before it, unless it is the first.
    fn paragraph(&mut self, begin: &str) {
        self.fresh_line();
        let before = if self.out.is_empty() || self.out.ends_with("\n\n") { "" } else { "\n" };
        self.whole(&format!("{before}{begin}"));
    }

    fn fresh_line(&mut self) {
        if !self.out.is_empty() && !self.out.ends_with('\n') {
            self.whole("\n");
        }
    }

    fn item(&mut self) {
        self.fresh_line();
        let depth = self.depth();
        let mark = match self.open.iter_mut().rev().find_map(|open| match open {
            Open::List(number) => Some(number),
            _ => None,
        }) {
            Some(Some(number)) => {
                *number += 1;
                format!("{}. ", *number - 1)
            }
            _ => "• ".to_owned(),
        };
        self.whole(&format!("{}{mark}", "    ".repeat(depth.saturating_sub(1).min(DEPTH_MAX))));
        self.at_mark = true;
    }

    fn style(&mut self, mark: &'static str) {
        // The same style twice would end it.
        let mark = if self.open.iter().any(|open| matches!(open, Open::Style(other) if *other == mark)) { "" } else { mark };
        self.whole(mark);
        self.open.push(Open::Style(mark));
    }

    fn shut(&mut self) {
        match self.open.pop() {
            Some(Open::Style(mark)) => self.out.push_str(mark),
            Some(Open::Code) => {
                self.fresh_line();
                self.out.push_str("```\n");
            }
            Some(Open::Link(_) | Open::List(_)) | None => {}
        }
    }

    fn address(&mut self, url: &str) {
        let shown = line(url);
        let is_link = (shown.starts_with("https://") || shown.starts_with("http://")) && length(&shown) <= LINK_MAX;
        if !is_link || self.out.ends_with(&escaped(&shown)) {
            return;
        }
        let target = shown.replace(' ', "%20").replace('|', "%7C").replace('<', "%3C").replace('>', "%3E");
        self.whole(&format!(" (<{}>)", escaped(&target)));
    }

    fn text(&mut self, text: &str) {
        let in_code = self.open.iter().any(|open| matches!(open, Open::Code));
        for (index, part) in text.split('\n').enumerate() {
            if index > 0 {
                self.whole("\n");
            }
            let part = part.replace('\t', "    ");
            let part = if in_code { part.replace('`', "ˋ") } else { part };
            for c in part.chars().filter_map(tame) {
                if self.full {
                    return;
                }
                self.whole(&escaped(c.encode_utf8(&mut [0; 4])));
            }
        }
    }

    /// Puts out all of it or nothing.
    fn whole(&mut self, text: &str) {
        match self.left.checked_sub(length(text)) {
            Some(left) if !self.full => {
                self.left = left;
                self.out.push_str(text);
                self.at_mark &= text.is_empty();
            }
            _ => self.full = true,
        }
    }

    fn end(mut self) -> (String, bool) {
        if self.full {
            self.out.truncate(self.out.trim_end().len());
            self.out.push('…');
        }
        while !self.open.is_empty() {
            self.shut();
        }
        (self.out.trim().to_owned(), self.full)
    }
}
