// Package runtime: memory that the host writes into, in place of the module `go.bytecodealliance.org/pkg`.
package runtime

import (
	"runtime"
	"unsafe"
)

// What the host has handed over and Go has not taken over yet: pinned, so that the collector leaves it alone.
var incoming runtime.Pinner

// Allocate gives memory that stays until the pinner lets go.
func Allocate(pinner *runtime.Pinner, size, align uintptr) unsafe.Pointer {
	if size == 0 {
		return unsafe.Pointer(align)
	}
	// Memory of 8-byte words is aligned for everything the contract has.
	block := unsafe.Pointer(unsafe.SliceData(make([]uint64, (size+7)/8)))
	pinner.Pin(block)
	return block
}

// Unpin lets go of what the host handed over: by now Go's own values point at it.
func Unpin() { incoming.Unpin() }

//go:wasmexport cabi_realloc
func cabiRealloc(old unsafe.Pointer, oldSize, align, size uintptr) unsafe.Pointer {
	block := Allocate(&incoming, size, align)
	if oldSize > 0 {
		copy(unsafe.Slice((*byte)(block), size), unsafe.Slice((*byte)(old), oldSize))
	}
	return block
}
