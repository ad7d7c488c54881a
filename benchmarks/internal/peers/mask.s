// Package peers declares functions without a body: the compiler asks for this file then.
