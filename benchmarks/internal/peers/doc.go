// Package peers has the servers that the benchmarks compare: a raw TCP echo,
// both faces of Tandem and other libraries, each set up as its documentation
// recommends for speed and small memory: buffers pooled or shared, messages
// received into buffers that are used again, connections let go by net/http.
package peers
