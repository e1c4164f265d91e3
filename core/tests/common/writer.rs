//! Writes small GGUF files, right or wrong, for tests. Include it with `#[path = "common/writer.rs"] mod writer;`.
#![allow(dead_code, clippy::panic)]

/// GGUF's numbers of value types.
pub mod kind {
    pub const U8: u32 = 0;
    pub const I8: u32 = 1;
    pub const U16: u32 = 2;
    pub const U32: u32 = 4;
    pub const I32: u32 = 5;
    pub const F32: u32 = 6;
    pub const BOOL: u32 = 7;
    pub const STR: u32 = 8;
    pub const ARRAY: u32 = 9;
    pub const U64: u32 = 10;
    pub const F64: u32 = 12;
}

/// A tensor of the table.
#[derive(Clone, Debug)]
pub struct Tensor {
    pub name: Vec<u8>,
    pub shape: Vec<u64>,
    pub ggml_type: u32,
    /// From the start of the data; by default behind the tensor before.
    pub offset: Option<u64>,
    pub data: Vec<u8>,
}

/// A file under construction. Every field can be set to nonsense.
#[derive(Clone, Debug)]
pub struct Writer {
    pub magic: [u8; 4],
    pub version: u32,
    /// By default as many as there are.
    pub tensor_count: Option<u64>,
    pub pair_count: Option<u64>,
    pub alignment: usize,
    /// Key, type and encoded value.
    pub pairs: Vec<(Vec<u8>, u32, Vec<u8>)>,
    pub tensors: Vec<Tensor>,
}

impl Default for Writer {
    fn default() -> Self {
        Self {
            magic: *b"GGUF",
            version: 3,
            tensor_count: None,
            pair_count: None,
            alignment: 32,
            pairs: Vec::new(),
            tensors: Vec::new(),
        }
    }
}

impl Writer {
    /// A pair of any type, its value encoded.
    pub fn pair(mut self, key: impl AsRef<[u8]>, kind: u32, value: impl AsRef<[u8]>) -> Self {
        self.pairs.push((key.as_ref().to_vec(), kind, value.as_ref().to_vec()));
        self
    }
    pub fn u32(self, key: &str, value: u32) -> Self {
        self.pair(key, kind::U32, value.to_le_bytes())
    }
    pub fn f32(self, key: &str, value: f32) -> Self {
        self.pair(key, kind::F32, value.to_le_bytes())
    }
    pub fn bool(self, key: &str, value: bool) -> Self {
        self.pair(key, kind::BOOL, [u8::from(value)])
    }
    pub fn str(self, key: &str, value: &str) -> Self {
        self.pair(key, kind::STR, string(value))
    }
    pub fn strings(self, key: &str, values: &[&str]) -> Self {
        let elements: Vec<u8> = values.iter().flat_map(string).collect();
        self.pair(key, kind::ARRAY, array(kind::STR, values.len() as u64, &elements))
    }
    pub fn f32s(self, key: &str, values: &[f32]) -> Self {
        let elements: Vec<u8> = values.iter().flat_map(|value| value.to_le_bytes()).collect();
        self.pair(key, kind::ARRAY, array(kind::F32, values.len() as u64, &elements))
    }
    pub fn i32s(self, key: &str, values: &[i32]) -> Self {
        let elements: Vec<u8> = values.iter().flat_map(|value| value.to_le_bytes()).collect();
        self.pair(key, kind::ARRAY, array(kind::I32, values.len() as u64, &elements))
    }
    /// A pair of any type, in the place of the one with this key.
    pub fn set(mut self, key: &str, kind: u32, value: impl AsRef<[u8]>) -> Self {
        match self.pairs.iter_mut().find(|pair| pair.0 == key.as_bytes()) {
            Some(pair) => *pair = (pair.0.clone(), kind, value.as_ref().to_vec()),
            None => return self.pair(key, kind, value),
        }
        self
    }
    /// Takes pairs and tensors of this name away; one must be there.
    pub fn without(mut self, name: &str) -> Self {
        let before = self.pairs.len() + self.tensors.len();
        self.pairs.retain(|pair| pair.0 != name.as_bytes());
        self.tensors.retain(|tensor| tensor.name != name.as_bytes());
        assert!(before > self.pairs.len() + self.tensors.len(), "there is no {name}");
        self
    }
    /// Changes the tensor of this name.
    pub fn alter(mut self, name: &str, change: impl FnOnce(&mut Tensor)) -> Self {
        let tensor = self.tensors.iter_mut().find(|tensor| tensor.name == name.as_bytes());
        change(tensor.unwrap_or_else(|| panic!("there is no {name}")));
        self
    }
    /// A tensor behind the one before.
    pub fn tensor(mut self, name: impl AsRef<[u8]>, shape: &[u64], ggml_type: u32, data: Vec<u8>) -> Self {
        let name = name.as_ref().to_vec();
        self.tensors.push(Tensor { name, shape: shape.to_vec(), ggml_type, offset: None, data });
        self
    }
    /// An f32 tensor of zeros.
    pub fn zeros(self, name: &str, shape: &[u64]) -> Self {
        let weights: u64 = shape.iter().product();
        self.tensor(name, shape, 0, vec![0; 4 * weights as usize])
    }
    /// The last tensor's entry, to spoil it.
    pub fn spoil(mut self, change: impl FnOnce(&mut Tensor)) -> Self {
        self.tensors.last_mut().map(change);
        self
    }

    /// The file.
    pub fn bytes(&self) -> Vec<u8> {
        let mut out = self.magic.to_vec();
        out.extend(self.version.to_le_bytes());
        out.extend(self.tensor_count.unwrap_or(self.tensors.len() as u64).to_le_bytes());
        out.extend(self.pair_count.unwrap_or(self.pairs.len() as u64).to_le_bytes());
        for (key, kind, value) in &self.pairs {
            out.extend(string(key));
            out.extend(kind.to_le_bytes());
            out.extend(value);
        }
        let mut end = 0;
        for tensor in &self.tensors {
            out.extend(string(&tensor.name));
            out.extend((tensor.shape.len() as u32).to_le_bytes());
            out.extend(tensor.shape.iter().flat_map(|n| n.to_le_bytes()));
            out.extend(tensor.ggml_type.to_le_bytes());
            out.extend(tensor.offset.unwrap_or(end as u64).to_le_bytes());
            end = (end + tensor.data.len()).next_multiple_of(self.alignment);
        }
        for tensor in &self.tensors {
            out.resize(out.len().next_multiple_of(self.alignment), 0);
            out.extend(&tensor.data);
        }
        out
    }
}

/// A string's length and bytes.
pub fn string(value: impl AsRef<[u8]>) -> Vec<u8> {
    let value = value.as_ref();
    [&(value.len() as u64).to_le_bytes(), value].concat()
}

/// An array's element type, length and elements.
pub fn array(kind: u32, len: u64, elements: &[u8]) -> Vec<u8> {
    [&kind.to_le_bytes()[..], &len.to_le_bytes(), elements].concat()
}
