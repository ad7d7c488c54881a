module github.com/tandemws/tandem

go 1.25.0
