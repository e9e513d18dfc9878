//! `smith FIRST COUNT`: the modules of so many seeds on standard output, each behind its length (u32, little endian).
//! A seed gives the same module everywhere.

use std::io::{BufWriter, Write, stdout};

use arbitrary::Unstructured;
use wasm_encoder::{EntityType, ImportSection, TypeSection, ValType};
use wasm_smith::{Config, Module};

fn main() {
    let mut arguments = std::env::args().skip(1).map(|text| text.parse::<u64>().expect("a number"));
    let first = arguments.next().expect("the first seed");
    let count = arguments.next().expect("how many modules");
    let mut out = BufWriter::new(stdout().lock());
    for seed in first..first + count {
        let module = module(seed);
        out.write_all(&(module.len() as u32).to_le_bytes()).expect("standard output");
        out.write_all(&module).expect("standard output");
    }
}

fn module(seed: u64) -> Vec<u8> {
    let mut random = Random(seed);
    let mut bytes = vec![0; 512 << (random.next() % 6)];
    for chunk in bytes.chunks_mut(8) {
        chunk.copy_from_slice(&random.next().to_le_bytes());
    }
    let choice = random.next();
    let floats = seed % 2 == 1;
    let config = Config {
        available_imports: (choice & 1 == 0).then(|| imports(floats)),
        min_imports: if choice & 1 == 0 { 1 } else { 0 },
        max_imports: if choice & 1 == 0 { 6 } else { 0 },
        export_everything: choice & 2 == 0,
        min_funcs: 1,
        max_funcs: 20,
        min_memories: 1,
        max_memory32_bytes: 16 * 65_536,
        memory_max_size_required: true,
        max_tables: if choice & 4 == 0 { 3 } else { 1 },
        max_table_elements: 200,
        table_max_size_required: true,
        max_instructions: if choice & 8 == 0 { 100 } else { 600 },
        min_uleb_size: (choice >> 4 & 3) as u8 + 1,
        reference_types_enabled: choice & 64 == 0,
        simd_enabled: choice & 128 == 0,
        // Even seeds have no floats, so the bits that they leave can be compared with those of another engine or form.
        allow_floats: floats,
        // Accesses near the start of memory mostly: a module that traps at once shows nothing.
        disallow_traps: choice & 256 == 0,
        relaxed_simd_enabled: false,
        compact_imports_enabled: false,
        exceptions_enabled: false,
        gc_enabled: false,
        memory64_enabled: false,
        threads_enabled: false,
        wide_arithmetic_enabled: false,
        max_memories: 1,
        ..Config::default()
    };
    Module::new(config, &mut Unstructured::new(&bytes)).expect("random bytes are enough").to_bytes()
}

/// Nothing but functions is to be imported.
fn imports(floats: bool) -> Vec<u8> {
    use ValType::{F32, F64, I32, I64};
    let signatures: [(&[ValType], &[ValType]); 6] = [
        (&[], &[]),
        (&[I32], &[I32]),
        (&[I32, I64], &[I64]),
        (&[F32, F64], &[F64]),
        (&[I64], &[I32, I64]),
        (&[], &[F32]),
    ];
    let mut types = TypeSection::new();
    let mut entries = ImportSection::new();
    for (index, (params, results)) in signatures.into_iter().enumerate() {
        if !floats && params.iter().chain(results).any(|&kind| kind == F32 || kind == F64) {
            continue;
        }
        types.ty().function(params.iter().copied(), results.iter().copied());
        entries.import("env", &format!("i{index}"), EntityType::Function(types.len() - 1));
    }
    let mut module = wasm_encoder::Module::new();
    module.section(&types).section(&entries);
    module.finish()
}

/// SplitMix64.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }
}
