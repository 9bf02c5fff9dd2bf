// Package types: the few shapes that the generated bindings need, in place of the module `go.bytecodealliance.org/pkg`.
package types

// Whether there is a value.
const (
	OptionNone = uint8(iota)
	OptionSome
)

// Whether it went well.
const (
	ResultOk = uint8(iota)
	ResultErr
)

// Unit is nothing.
type Unit struct{}

// Option is a value or none.
type Option[T any] struct {
	tag   uint8
	value T
}

// None is no value.
func None[T any]() Option[T] { return Option[T]{} }

// Some is a value.
func Some[T any](value T) Option[T] { return Option[T]{OptionSome, value} }

// Tag says which it is.
func (o Option[T]) Tag() uint8 { return o.tag }

// Some gives the value.
func (o Option[T]) Some() T {
	if o.tag != OptionSome {
		panic("no value")
	}
	return o.value
}

// Result is one of two.
type Result[T, E any] struct {
	tag uint8
	ok  T
	err E
}

// Ok went well.
func Ok[T, E any](value T) Result[T, E] { return Result[T, E]{tag: ResultOk, ok: value} }

// Err did not.
func Err[T, E any](value E) Result[T, E] { return Result[T, E]{tag: ResultErr, err: value} }

// Tag says which it is.
func (r Result[T, E]) Tag() uint8 { return r.tag }

// Ok gives the value.
func (r Result[T, E]) Ok() T { return r.ok }

// Err gives the error.
func (r Result[T, E]) Err() E { return r.err }
