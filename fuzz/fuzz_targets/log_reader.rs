//! Bytes of a segment through `farthing_core::log::read`: no bytes make it panic, and a line that was
//! understood comes back the same from what is written of it.

#![no_main]

use farthing_core::log::read::{Line, LineReader, read_segment};
use farthing_core::log::segment::{LineType, RouterNames, write_line};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|segment: &[u8]| {
    let mut before = 0;
    read_segment(segment, &mut |number, line| {
        assert!(number > before, "lines come in their order");
        before = number;
        match line {
            Ok(line) => check_reads_again(&line),
            Err(error) => assert!(!error.to_string().is_empty()),
        }
    });
    let lines = segment.split(|byte| *byte == b'\n').count() as u64;
    assert!(before <= lines, "line {before} of {lines}");
});

/// What is written of a line reads as that line, by a reader that knows its router alone.
fn check_reads_again(line: &Line<'_>) {
    let mut reader = LineReader::default();
    let mut written = Vec::new();
    match line {
        Line::Segment(header) => write_line(LineType::Segment, header, &mut written),
        Line::Router(names) => write_line(LineType::Router, names, &mut written),
        Line::Outcome(event) => write_line(LineType::Outcome, event, &mut written),
        Line::Decision(row, candidates) => {
            let candidates = candidates.as_ref().into();
            let names = RouterNames { router: row.router.clone(), candidates };
            write_line(LineType::Router, &names, &mut written);
            let read = reader.read(&written).expect("a router that was written");
            assert_eq!(read, Line::Router(names));
            written = Vec::new();
            write_line(LineType::Decision, row, &mut written);
        }
    }
    assert_eq!(written.iter().position(|byte| *byte == b'\n'), Some(written.len() - 1), "one line");
    assert_eq!(reader.read(&written).as_ref(), Ok(line));
}
