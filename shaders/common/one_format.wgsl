// All matrices of a stage are of one format.

fn set_format(part: Part) {}
