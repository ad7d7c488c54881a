package sync

import (
	"net/http"
	"net/http/cookiejar"
	"reflect"
	"testing"
	"time"

	"github.com/tandemws/tandem/internal/dial"
	"github.com/tandemws/tandem/internal/link"
	"github.com/tandemws/tandem/internal/serve"
	"github.com/tandemws/tandem/keepalive"
)

// TestClientOptionsCore sets each field of the options in turn, to see that the
// core gets it: a field that core forgets would be one without effect.
func TestClientOptionsCore(t *testing.T) {
	options := reflect.TypeFor[ClientOptions]()
	for i := range options.NumField() {
		name := options.Field(i).Name
		if name == "KeepaliveThread" || name == "Stop" {
			continue // this face's own; see thread and Reconnect
		}
		var o ClientOptions
		field := reflect.ValueOf(&o).Elem().Field(i)
		field.Set(something(t, field.Type()))
		got := reflect.ValueOf(o.core()).Elem().FieldByName(name)
		switch {
		case !got.IsValid():
			t.Errorf("the core has no option %s", name)
		case got.IsZero():
			t.Errorf("core forgets %s", name)
		case got.Comparable() && field.Comparable() && got.Interface() != field.Interface():
			t.Errorf("%s is %v in the core, want %v", name, got, field)
		}
	}
	if core := reflect.TypeFor[dial.Options](); core.NumField() != options.NumField()-2 {
		t.Errorf("the core has %d options, the face %d and two of its own", core.NumField(), options.NumField()-2)
	}
}

// something returns a value that is not zero.
func something(t *testing.T, typ reflect.Type) reflect.Value {
	t.Helper()
	v := reflect.New(typ).Elem()
	switch typ.Kind() {
	case reflect.String:
		v.SetString("something")
	case reflect.Int, reflect.Int64:
		v.SetInt(int64(12345 * time.Millisecond))
	case reflect.Bool:
		v.SetBool(true)
	case reflect.Slice:
		v.Set(reflect.MakeSlice(typ, 1, 1))
	case reflect.Map:
		v.Set(reflect.MakeMap(typ))
	case reflect.Pointer:
		v.Set(reflect.New(typ.Elem()))
	case reflect.Func:
		v.Set(reflect.MakeFunc(typ, func([]reflect.Value) []reflect.Value { return nil }))
	case reflect.Struct:
		v.Field(0).Set(something(t, v.Field(0).Type()))
	case reflect.Interface:
		if typ == reflect.TypeFor[http.CookieJar]() {
			v.Set(reflect.ValueOf(new(cookiejar.Jar)))
			break
		}
		a, _ := link.NewPipe()
		v.Set(reflect.ValueOf(a))
	default:
		t.Fatalf("no value of type %v", typ)
	}
	return v
}

// TestThread has a client use the thread that it is given, else one of its own.
func TestThread(t *testing.T) {
	shared := new(keepalive.Thread)
	o := &ClientOptions{KeepaliveThread: shared}
	if o.thread() != shared {
		t.Error("the thread that was given is not used")
	}
	o.KeepaliveThread = nil
	if own := o.thread(); own == nil || own == o.thread() {
		t.Error("two connections share a thread that nobody gave them")
	}
}

// TestDefaults compares what options of zeros come to with what is documented
// at ClientOptions and ServerOptions.
func TestDefaults(t *testing.T) {
	for name, got := range map[string]*link.Options{
		"client": new(ClientOptions).core().Link(),
		"server": new(serve.Options).Link(),
	} {
		if got.CloseTimeout != 10*time.Second || got.WriteTimeout != 0 || got.MaxQueue != 16 || got.MaxQueueBytes != 1<<20 ||
			got.MaxFragmentSize != 256<<10 || got.Hold != time.Millisecond || got.Logger == nil {
			t.Errorf("%s: %+v", name, got)
		}
	}
	if link.DefaultOpenTimeout != 10*time.Second || keepalive.DefaultInterval != 20*time.Second || keepalive.DefaultTimeout != 20*time.Second {
		t.Error("the defaults of opening and keepalive are others than documented")
	}
}
