//! A summary's markdown without its formatting: its words, in the blocks that they stood in. What a reader without
//! markup needs to tell one line from the next stays: numbers of lists, cells of tables, lines of code.

use events::{
    line::{line, tame},
    weight,
};
use pulldown_cmark::{Event, Options, Parser, Tag, TagEnd};

/// The most spaces of a list in a list; deeper ones stand no further in.
const DEPTH_MAX: usize = 6;
/// The longest cell that a column is padded for.
const PADDED_MAX: usize = 24;

/// A block of a summary. Every line of it is harmless.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Block {
    /// A paragraph or a heading, line by line.
    Text(Vec<String>),
    /// An item of a list, or a further paragraph of one, which has no mark.
    Item {
        /// How many lists it stands in, less one.
        depth: usize,
        /// `•`, or its number.
        mark: String,
        /// What it says, line by line.
        lines: Vec<String>,
    },
    /// Lines of code.
    Code(Vec<String>),
    /// Rows of cells; the first is the head.
    Table(Vec<Vec<String>>),
}

/// The blocks in at most `max` characters, and whether something was left out. Beside the words of a link stands where
/// it leads, so that they hide nothing. HTML stays as it was written: as text it does nothing.
pub(super) fn blocks(markdown: &str, max: usize) -> (Vec<Block>, bool) {
    let mut reader = Reader { left: max, ..Reader::default() };
    if weight::markdown(markdown).excess().is_some() {
        // Beyond what is formatted anywhere: as it was written.
        for text in markdown.lines() {
            reader.begin(Block::Text(Vec::new()));
            reader.put(text);
            if reader.is_full {
                break;
            }
        }
        return reader.end();
    }
    for event in Parser::new_ext(markdown, Options::ENABLE_TABLES | Options::ENABLE_STRIKETHROUGH) {
        reader.event(event);
        if reader.is_full {
            break;
        }
    }
    reader.end()
}

#[derive(Default)]
struct Reader<'a> {
    done: Vec<Block>,
    /// The block at hand and the line of it.
    open: Option<Block>,
    text: String,
    left: usize,
    is_full: bool,
    /// The lists that are open, with the number of their next item.
    lists: Vec<Option<u64>>,
    /// The links that are open: where each leads and where in the line its words begin.
    links: Vec<(std::borrow::Cow<'a, str>, usize)>,
}

impl<'a> Reader<'a> {
    fn event(&mut self, event: Event<'a>) {
        match event {
            Event::Text(text) | Event::Html(text) | Event::InlineHtml(text) => self.lines(&text),
            Event::Code(text) => self.put(&text),
            Event::SoftBreak if !self.lists.is_empty() => self.put(" "),
            Event::SoftBreak | Event::HardBreak => self.line_ends(),
            Event::Start(tag) => self.start(tag),
            Event::End(tag) => self.close(&tag),
            _ => {}
        }
    }

    fn start(&mut self, tag: Tag<'a>) {
        match tag {
            Tag::Paragraph | Tag::Heading { .. } | Tag::HtmlBlock if self.lists.is_empty() => self.begin(Block::Text(Vec::new())),
            // The first paragraph of an item stands beside its mark, a further one below.
            Tag::Paragraph | Tag::Heading { .. } | Tag::HtmlBlock => {
                let is_first = self.text.is_empty() && matches!(&self.open, Some(Block::Item { lines, .. }) if lines.is_empty());
                if !is_first {
                    self.item(String::new());
                }
            }
            Tag::List(first) => self.lists.push(first),
            Tag::Item => {
                let mark = match self.lists.last_mut() {
                    Some(Some(number)) => {
                        *number = number.saturating_add(1);
                        format!("{}.", *number - 1)
                    }
                    _ => "•".to_owned(),
                };
                self.item(mark);
            }
            Tag::CodeBlock(_) => self.begin(Block::Code(Vec::new())),
            Tag::Table(_) => self.begin(Block::Table(Vec::new())),
            Tag::TableHead | Tag::TableRow => {
                if let Some(Block::Table(rows)) = &mut self.open {
                    rows.push(Vec::new());
                }
            }
            Tag::Link { dest_url, .. } | Tag::Image { dest_url, .. } => {
                self.links.push((dest_url.into_string().into(), self.text.len()));
            }
            _ => {}
        }
    }

    fn close(&mut self, tag: &TagEnd) {
        match tag {
            TagEnd::Link | TagEnd::Image => {
                if let Some((url, from)) = self.links.pop()
                    && self.text.get(from..) != Some(&*url)
                {
                    self.put(&format!(" ({url})"));
                }
            }
            TagEnd::TableCell => {
                let cell = self.taken();
                if let Some(Block::Table(rows)) = &mut self.open
                    && let Some(row) = rows.last_mut()
                {
                    row.push(cell);
                }
            }
            TagEnd::List(_) => {
                self.block_ends();
                self.lists.pop();
            }
            TagEnd::Paragraph | TagEnd::Heading(_) | TagEnd::HtmlBlock | TagEnd::Item | TagEnd::CodeBlock | TagEnd::Table => {
                self.block_ends();
            }
            _ => {}
        }
    }

    fn item(&mut self, mark: String) {
        let depth = self.lists.len().saturating_sub(1).min(DEPTH_MAX);
        self.begin(Block::Item { depth, mark, lines: Vec::new() });
    }

    fn begin(&mut self, block: Block) {
        self.block_ends();
        self.open = Some(block);
    }

    fn block_ends(&mut self) {
        self.line_ends();
        let is_empty = |block: &Block| match block {
            Block::Text(lines) | Block::Code(lines) => lines.is_empty(),
            Block::Item { mark, lines, .. } => mark.is_empty() && lines.is_empty(),
            Block::Table(rows) => rows.is_empty(),
        };
        self.done.extend(self.open.take().filter(|block| !is_empty(block)));
    }

    fn line_ends(&mut self) {
        let code = matches!(&self.open, Some(Block::Code(_)));
        let text = if code { std::mem::take(&mut self.text) } else { self.taken() };
        if !text.is_empty()
            && let Some(Block::Text(lines) | Block::Code(lines) | Block::Item { lines, .. }) = &mut self.open
        {
            lines.push(text);
        }
    }

    /// The line at hand, in words.
    fn taken(&mut self) -> String {
        line(&std::mem::take(&mut self.text)).split_whitespace().collect::<Vec<_>>().join(" ")
    }

    fn lines(&mut self, text: &str) {
        for (index, part) in text.split('\n').enumerate() {
            if index > 0 {
                self.line_ends();
            }
            self.put(&part.replace('\t', "    "));
        }
    }

    /// As much of it as there is room for.
    fn put(&mut self, text: &str) {
        // Outside of any block stands nothing that people read.
        if self.open.is_none() {
            self.open = Some(Block::Text(Vec::new()));
        }
        for c in text.chars().filter_map(tame) {
            if self.left == 0 {
                self.is_full = true;
                return;
            }
            self.left -= 1;
            self.text.push(c);
        }
    }

    fn end(mut self) -> (Vec<Block>, bool) {
        if self.is_full {
            self.text.truncate(self.text.trim_end().len());
            self.text.push('…');
        }
        if matches!(self.open, Some(Block::Table(_))) && !self.text.is_empty() {
            self.close(&TagEnd::TableCell);
        }
        self.block_ends();
        (self.done, self.is_full)
    }
}

/// The blocks as text: a line each, items and code further in, columns of tables below each other.
pub(super) fn text(blocks: &[Block]) -> String {
    let mut text = String::new();
    for (index, block) in blocks.iter().enumerate() {
        let in_list = |block: &Block| matches!(block, Block::Item { .. });
        if index > 0 && !(in_list(block) && blocks.get(index - 1).is_some_and(in_list)) {
            text.push('\n');
        }
        for line in lines(block) {
            text.push_str(line.trim_end());
            text.push('\n');
        }
    }
    text.truncate(text.trim_end().len());
    text
}

fn lines(block: &Block) -> Vec<String> {
    match block {
        Block::Text(lines) => lines.clone(),
        Block::Code(lines) => lines.iter().map(|line| format!("    {line}")).collect(),
        Block::Item { depth, mark, lines } => {
            let lead = "  ".repeat(*depth);
            let further = " ".repeat(mark.chars().count().max(1) + 1);
            let mut lines = lines.iter();
            let first = lines.next().map(String::as_str).unwrap_or_default();
            let first = if mark.is_empty() { format!("{lead}{further}{first}") } else { format!("{lead}{mark} {first}") };
            std::iter::once(first).chain(lines.map(|line| format!("{lead}{further}{line}"))).collect()
        }
        Block::Table(rows) => {
            let columns = rows.iter().map(Vec::len).max().unwrap_or_default();
            let width = |column: usize| {
                let cells = rows.iter().filter_map(|row| row.get(column));
                cells.map(|cell| cell.chars().count()).max().unwrap_or_default().min(PADDED_MAX)
            };
            let widths: Vec<usize> = (0..columns).map(width).collect();
            let row = |row: &Vec<String>| {
                let cells = row.iter().zip(&widths).map(|(cell, width)| format!("{cell:width$}", width = *width));
                cells.collect::<Vec<_>>().join(" | ")
            };
            rows.iter().map(row).collect()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{blocks, text};

    fn plain(markdown: &str) -> String {
        text(&blocks(markdown, 10_000).0)
    }

    #[test]
    fn formatting_goes_and_every_word_and_target_stays() {
        for (markdown, expected) in [
            ("More than **6 %** of `rows`\nare _flagged_.", "More than 6 % of rows\nare flagged."),
            ("# Why\n\n- one\n- two\n\n---\nend", "Why\n\n• one\n• two\n\nend"),
            ("[Approve](https://evil.example) <https://a.example>", "Approve (https://evil.example) https://a.example"),
            ("![alt](https://a.example/i.png)", "alt (https://a.example/i.png)"),
            ("a <b>bold</b> & <style>*{}</style>", "a <b>bold</b> & <style>*{}</style>"),
            ("<script>\nalert(1)\n</script>", "<script>\nalert(1)\n</script>"),
            ("```\ncode\n  more\n```\nafter", "    code\n      more\n\nafter"),
            ("2 * 3 * 4 and a_b_c", "2 * 3 * 4 and a_b_c"),
            (
                "| a | b |\n|---|--:|\n| long cell | 2 |\n| [x](https://e.example) |",
                "a                     | b\nlong cell             | 2\nx (https://e.example) |",
            ),
            ("3. c\n4. d\n   1. e\n      - f\n\n     g\n5. h", "3. c\n4. d\n  1. e\n    • f\n  g\n5. h"),
            ("> quoted\n> twice\n\nnot", "quoted\ntwice\n\nnot"),
            ("- a\n\n  b\n- c", "• a\n  b\n• c"),
        ] {
            assert_eq!(plain(markdown), expected, "{markdown}");
        }
    }

    #[test]
    fn what_is_cut_says_so_wherever_it_is_cut() {
        for markdown in [
            "word ".repeat(50),
            "- item\n".repeat(50),
            "```\ncode\n".repeat(50),
            "|a|b|\n|-|-|\n".to_owned() + &"|cell|cell|\n".repeat(50),
        ] {
            let (cut, is_cut) = blocks(&markdown, 42);
            let shown = text(&cut);
            assert!(is_cut && shown.contains('…') && shown.chars().filter(|c| !c.is_whitespace()).count() < 80, "{shown}");
        }
        assert!(!blocks("short", 5).1);
    }

    #[test]
    fn what_is_too_heavy_to_be_formatted_stands_as_it_was_written() {
        let begin = std::time::Instant::now();
        assert_eq!(plain(&(">".repeat(9_000) + "\nend")).lines().last(), Some("end"));
        assert!(begin.elapsed() < std::time::Duration::from_secs(1));
    }
}
