// Package simcloud simulates clouds, so that the real terraform can be run on what
// this project generates: offline, for nothing, and with every failure a cloud has.
//
// This first version is documented at [Mirror], [Fault] and [Catalogue].
package simcloud
