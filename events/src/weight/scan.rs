//! Markdown, read line by line for what it will become. It need not be right about every corner of CommonMark, only
//! never far below it, and never far above it for what people write: source code, diffs and logs stand in summaries.

use super::{
    NESTING_MAX, PIECES_MAX,
    inline::{Inline, Marks},
};

/// How heavy a text in Markdown is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Weight {
    /// How deep quotes and lists are nested.
    pub blocks_nested: usize,
    /// How deep styles and links are nested.
    pub inlines_nested: usize,
    /// The formatted pieces: blocks, cells of tables, links, styled words.
    pub pieces: usize,
}

impl Weight {
    /// The limit that it exceeds, in words of what is expected instead.
    pub fn excess(&self) -> Option<String> {
        if self.blocks_nested > NESTING_MAX {
            return Some(format!("Markdown with quotes and lists nested at most {NESTING_MAX} deep, not {}", self.blocks_nested));
        }
        if self.inlines_nested > NESTING_MAX {
            return Some(format!(
                "Markdown with styles and links nested at most {NESTING_MAX} deep, not {}",
                self.inlines_nested
            ));
        }
        (self.pieces > PIECES_MAX).then(|| {
            let pieces = self.pieces;
            format!("Markdown of at most {PIECES_MAX} blocks, table cells, links and styled words together, not {pieces}")
        })
    }
}

pub(super) fn markdown(text: &str) -> Weight {
    let mut scan = Scan::default();
    // As CommonMark ends lines: a lone carriage return does too.
    text.split(['\n', '\r']).for_each(|line| scan.line(line.as_bytes()));
    scan.paragraph_ends();
    scan.weight
}

#[derive(Default)]
struct Scan {
    weight: Weight,
    /// The columns at which the contents of the open list items begin, outermost first.
    items: Vec<usize>,
    /// Whether the line before belongs to a paragraph that this one may go on.
    in_paragraph: bool,
    /// Whether the line before was empty: an item that follows one holds a paragraph.
    after_blank: bool,
    /// The columns of the table that this line may go on.
    columns: Option<usize>,
    inline: Inline,
}

impl Scan {
    fn line(&mut self, line: &[u8]) {
        let rule = rule_at(line);
        let (mut at, mut column, mut quotes, mut is_item) = (0, 0, 0_usize, false);
        loop {
            (at, column) = blanks(line, at, column);
            if line.get(at) == Some(&b'>') {
                (at, column, quotes) = (at + 1, column + 1, quotes + 1);
            } else if at >= rule {
                break;
            } else if let Some(width) = marker(&line[at..]) {
                let mut sibling = None;
                while self.items.last().is_some_and(|content| *content > column) {
                    sibling = self.items.pop();
                }
                (at, column) = (at + width, column + width);
                self.items.push(column + 1);
                let begins_list = sibling != Some(column + 1);
                self.weight.pieces += 1 + usize::from(begins_list) + usize::from(self.after_blank);
                self.block_begins();
                is_item = true;
            } else {
                break;
            }
        }
        self.weight.pieces += quotes;
        self.weight.blocks_nested = self.weight.blocks_nested.max(quotes + self.items.len());
        self.content(&line[at..], is_item);
        self.after_blank = at == line.len();
    }

    /// What stands behind the marks of quotes and lists.
    fn content(&mut self, content: &[u8], is_item: bool) {
        let Some(first) = content.first() else {
            self.block_begins();
            self.columns = None;
            return;
        };
        if let Some(columns) = delimiter_row(content) {
            // The head above it too.
            self.weight.pieces += 2 * columns + 2;
            self.columns = Some(columns);
        } else if let Some(columns) = self.columns {
            // Missing cells are filled up.
            self.weight.pieces += columns + 1;
        }
        let is_block = matches!(first, b'#' | b'=' | b'-' | b'*' | b'_' | b'+' | b'<' | b'`' | b'~');
        self.weight.pieces += usize::from(is_block || !self.in_paragraph && !is_item);
        let is_heading = matches!(first, b'#' | b'=');
        if is_heading {
            self.block_begins();
        }
        let breaks = content.ends_with(b"\\") || content.ends_with(b"  ");
        self.weight.pieces += self.inline.line(content) + usize::from(breaks);
        self.in_paragraph = !is_heading;
    }

    fn block_begins(&mut self) {
        self.paragraph_ends();
        self.in_paragraph = false;
    }

    fn paragraph_ends(&mut self) {
        let Marks { nested } = self.inline.end();
        self.weight.inlines_nested = self.weight.inlines_nested.max(nested);
    }
}

/// Past spaces and tabs, which lead to the next multiple of four.
fn blanks(line: &[u8], mut at: usize, mut column: usize) -> (usize, usize) {
    while let Some(byte @ (b' ' | b'\t')) = line.get(at) {
        column += if *byte == b'\t' { 4 - column % 4 } else { 1 };
        at += 1;
    }
    (at, column)
}

/// The width of the mark of a list item, which a blank or the end of the line follows.
fn marker(rest: &[u8]) -> Option<usize> {
    let width = match rest.first()? {
        b'-' | b'+' | b'*' => 1,
        b'0'..=b'9' => {
            let digits = rest.iter().take(10).take_while(|byte| byte.is_ascii_digit()).count();
            matches!(rest.get(digits), Some(b'.' | b')')).then_some(digits + 1)?
        }
        _ => return None,
    };
    matches!(rest.get(width), None | Some(b' ' | b'\t')).then_some(width)
}

/// From where on the line is a thematic break, such as `- - -`: the length of the line when it is none.
fn rule_at(line: &[u8]) -> usize {
    let Some(mark @ (b'-' | b'_' | b'*')) = line.iter().rfind(|byte| !matches!(byte, b' ' | b'\t')).copied() else {
        return line.len();
    };
    let mut marks = 0;
    let begin = line.iter().rposition(|byte| {
        marks += usize::from(*byte == mark);
        !(*byte == mark || matches!(byte, b' ' | b'\t'))
    });
    if marks < 3 { line.len() } else { begin.map_or(0, |before| before + 1) }
}

/// The columns of a table whose delimiter row this is.
fn delimiter_row(content: &[u8]) -> Option<usize> {
    let is_row = content.iter().all(|byte| matches!(byte, b'|' | b'-' | b':' | b' ' | b'\t')) && content.contains(&b'-');
    let pipes = content.iter().filter(|byte| **byte == b'|').count();
    let outer = usize::from(content.first() == Some(&b'|')) + usize::from(content.trim_ascii_end().last() == Some(&b'|'));
    (is_row && (pipes > 0 || content.contains(&b':'))).then(|| (pipes + 1).saturating_sub(outer).max(1))
}
