//! `farthing distill`: a sentence encoder becomes a static token table.

use std::path::PathBuf;

use farthing_train::distill;

use crate::failure::Failure;
use crate::term;

/// Flags of `farthing distill`.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// A sentence-transformer directory: BERT weights, tokenizer and pooling
    #[arg(value_name = "ENCODER_DIR")]
    encoder: PathBuf,
    /// Where the table goes
    #[arg(short, long, value_name = "DIR")]
    output: PathBuf,
    /// Width of the table
    #[arg(long, value_name = "N", default_value_t = 256)]
    dims: usize,
}

pub(crate) fn run(args: &Args) -> Result<(), Failure> {
    let bar = term::steps(0);
    bar.set_message("entries encoded");
    let distilled = distill(&args.encoder, args.dims, &|done, of| {
        bar.set_length(of as u64);
        bar.set_position(done as u64);
    })?;
    bar.finish_and_clear();
    distilled.write(&args.output)?;
    term::say(&format!(
        "wrote {} entries of {} dimensions, which explain {:.1} % of the encoder's variance, to `{}`",
        distilled.vocabulary.tokens().len(),
        distilled.dims,
        100.0 * distilled.explained,
        args.output.display()
    ));
    Ok(())
}
