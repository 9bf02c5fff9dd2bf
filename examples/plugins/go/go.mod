// The name that the generated bindings expect.
module wit_component

go 1.27

require go.bytecodealliance.org/pkg v0.4.0

// The bindings need a few dozen lines of that module: they are here, and nothing is fetched.
replace go.bytecodealliance.org/pkg => ./pkg
