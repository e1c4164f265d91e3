// What is particular to a packed format, fixed when the kernel is made.

override CODE_BIAS: u32 = 0u;   // subtracted from a code
override HAS_MIN: bool = false; // each scale has a minimum beside it, to be added
override GROUPS: u32 = 1u;      // scales of a block: 1 or 2
