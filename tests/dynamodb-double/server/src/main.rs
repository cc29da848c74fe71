//! DynamoDB in memory, for tests. Each line on standard input makes an empty database; the URL at which it is served is
//! the answer, a line on standard output. Ends when standard input does, so that it never outlives who started it.

use std::{error::Error, io::Write as _};

use dynoxide::{Database, server::serve_on};
use tokio::{net::TcpListener, runtime::Builder};

fn main() -> Result<(), Box<dyn Error>> {
    let runtime = Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
    for line in std::io::stdin().lines() {
        line?;
        let listener = runtime.block_on(TcpListener::bind("127.0.0.1:0"))?;
        let address = listener.local_addr()?;
        runtime.spawn(serve_on(listener, Database::memory()?));
        let mut answers = std::io::stdout().lock();
        writeln!(answers, "http://{address}")?;
        answers.flush()?;
    }
    // Requests under way are nobody's any more.
    runtime.shutdown_background();
    Ok(())
}
