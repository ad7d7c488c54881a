//go:build linux

package measure

import (
	"os"
	"os/exec"
	"runtime"
	"runtime/debug"
	"strings"
)

// Describe notes the machine and the versions of what is measured.
func (d *Data) Describe() {
	d.Machine = Machine{
		Processor: processor(),
		Cores:     runtime.NumCPU(),
		Kernel:    output("uname", "-sr"),
		Go:        runtime.Version(),
	}
	d.Versions = map[string]string{"tandem": output("git", "describe", "--always", "--dirty")}
	modules := map[string]string{
		"github.com/gorilla/websocket": "gorilla",
		"github.com/coder/websocket":   "coder",
		"github.com/gobwas/ws":         "gobwas",
		"github.com/lxzan/gws":         "gws",
	}
	if info, ok := debug.ReadBuildInfo(); ok {
		for _, m := range info.Deps {
			if name, ok := modules[m.Path]; ok {
				d.Versions[name] = m.Version
			}
		}
	}
	if HasPython() {
		d.Versions["python"] = output(pythonPath, "-c", "import websockets; print(websockets.__version__)")
	}
}

// processor returns the model as the kernel calls it.
func processor() string {
	info, _ := os.ReadFile("/proc/cpuinfo")
	for line := range strings.Lines(string(info)) {
		if name, value, ok := strings.Cut(line, ":"); ok && strings.TrimSpace(name) == "model name" {
			return strings.TrimSpace(value)
		}
	}
	return runtime.GOARCH
}

// output returns what a command prints, "unknown" if it fails.
func output(name string, args ...string) string {
	out, err := exec.Command(name, args...).Output()
	if err != nil {
		return "unknown"
	}
	return strings.TrimSpace(string(out))
}
