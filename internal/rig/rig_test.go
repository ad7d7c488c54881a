package rig

import (
	"bufio"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"
)

// program is the environment variable that makes the test binary a program to
// be started, and says which.
const program = "RIG_TEST_PROGRAM"

func TestMain(m *testing.M) {
	switch os.Getenv(program) {
	case "":
		goleak.VerifyTestMain(m)
	case "hello":
		fmt.Println("hello 42")
		fmt.Fprintln(os.Stderr, "aside")
		time.Sleep(patience) // it is killed long before
	case "short":
		fmt.Println("short")
	case "reader": // ends at the end of its input
		fmt.Println("reading")
		bufio.NewReader(os.Stdin).ReadString('\n')
	case "parent":
		Start(&probe{}, exec.Command("sh", "-c", "sleep 120 & echo child; wait"), Prints("child"))
		fmt.Println("parent")
		time.Sleep(patience)
	}
}

// self returns a command that runs one of the programs of TestMain.
func self(t *testing.T, name string) *exec.Cmd {
	path, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(path)
	cmd.Env = append(os.Environ(), program+"="+name)
	return cmd
}

func TestStartWaitsForALine(t *testing.T) {
	p := Start(t, self(t, "hello"), Prints("hello"))
	found, err := p.Await(`hello (\d+)`)
	if err != nil || found[1] != "42" {
		t.Errorf("Await: %q, %v; want the number 42", found, err)
	}
	if _, err := p.Await("aside"); err != nil {
		t.Errorf("standard error: %v", err)
	}
	if strings.Contains(p.Stdout(), "aside") {
		t.Errorf("Stdout has what went to standard error: %q", p.Stdout())
	}
}

// A program that ends cannot be waited for; its last words count.
func TestAwaitEndsWithTheProgram(t *testing.T) {
	p := Start(t, self(t, "short"), nil)
	if _, err := p.Await("never"); err == nil {
		t.Error("Await found what was not printed")
	}
	if _, err := p.Await("short"); err != nil {
		t.Errorf("after the end: %v", err)
	}
	if err := p.Wait(); err != nil {
		t.Errorf("Wait: %v", err)
	}
}

// The end of the test ends the program.
func TestCleanupKills(t *testing.T) {
	var p *Process
	t.Run("inner", func(t *testing.T) {
		cmd := self(t, "reader")
		input, err := cmd.StdinPipe()
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { input.Close() })
		p = Start(t, cmd, Prints("reading"))
	})
	select {
	case <-p.Ended():
	default:
		t.Error("the program outlived its test")
	}
}

// If who runs the tests is killed, so is what they have started, and what that
// has; and then the guard ends too. All of them have inherited a pipe, whose
// end tells.
func TestNothingOutlivesTheTests(t *testing.T) {
	last, theirs, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer last.Close()
	cmd := self(t, "parent")
	cmd.ExtraFiles = []*os.File{theirs}
	p := Start(t, cmd, Prints("parent"))
	theirs.Close()
	if err := p.Signal(os.Kill); err != nil { // it alone, not its group
		t.Fatal(err)
	}
	last.SetReadDeadline(time.Now().Add(patience / 4))
	if _, err := last.Read(make([]byte, 1)); err != io.EOF {
		t.Errorf("%v; somebody still has the pipe", err)
	}
}

func TestAbsent(t *testing.T) {
	got := absent([]string{"go", "no-such-tool", "/no/such/file", "rig.go", "./rig.go"})
	want := "no-such-tool /no/such/file rig.go" // a bare name is a program's
	if strings.Join(got, " ") != want {
		t.Errorf("absent = %q, want %q", got, want)
	}
}

func TestNeedFollowsTheVariable(t *testing.T) {
	for _, tc := range []struct {
		mode, tool      string
		skipped, failed bool
	}{
		{mode: "", tool: "go", skipped: true},
		{mode: "off", tool: "no-such-tool", skipped: true},
		{mode: "on", tool: "go"},
		{mode: "on", tool: "no-such-tool", skipped: true},
		{mode: "require", tool: "go"},
		{mode: "require", tool: "no-such-tool", failed: true},
		{mode: "yes", tool: "go", failed: true},
	} {
		t.Setenv(Variable, tc.mode)
		probe := &probe{TB: t}
		done := make(chan struct{})
		go func() { // Skipf and Fatalf end the goroutine
			defer close(done)
			Need(probe, tc.tool)
		}()
		<-done
		if probe.skipped != tc.skipped || probe.failed != tc.failed {
			t.Errorf("%s=%q, tool %s: skipped %v, failed %v; want %v, %v", Variable, tc.mode, tc.tool,
				probe.skipped, probe.failed, tc.skipped, tc.failed)
		}
	}
}
