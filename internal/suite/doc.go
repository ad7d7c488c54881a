// Package suite holds the tests that both faces pass, from the client's side
// and from the server's, alone and mixed. Its tests are in the _test files;
// here is what lets them treat the faces alike.
package suite
