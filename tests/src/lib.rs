//! Tests from outside, the conformance of the stores, and the benchmarks.
