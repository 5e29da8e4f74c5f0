package play_test

import (
	"encoding/json"
	"net/url"
	"strings"
	"testing"

	"github.com/mcphub/mcphub/internal/hub"
	"github.com/mcphub/mcphub/internal/web/play"
)

const schema = `{"type":"object","required":["city","days"],"properties":{
	"city":{"type":"string"}, "days":{"type":"integer","default":3}, "metric":{"type":"boolean"}, "unit":{"type":"string","enum":["c","f","1"]},
	"tags":{"type":"array","items":{"type":"string"}}, "at":{"type":"object","properties":{"lat":{"type":"number"}}}, "free":{}}}`

func entered(pairs ...string) url.Values {
	out := url.Values{}
	for i := 0; i < len(pairs); i += 2 {
		out.Set(pairs[i], pairs[i+1])
	}
	return out
}

func arguments(form url.Values) (json.RawMessage, error) {
	v := &play.View{Tool: hub.Capability{Schema: json.RawMessage(schema)}}
	v.Fill(form)
	return v.Arguments()
}

// TestArguments guards: what is entered becomes arguments of the types that the schema names, an empty field is left out, and
// JSON by hand goes before the fields.
func TestArguments(t *testing.T) {
	for want, form := range map[string]url.Values{
		`{"city":"Ghent\nEast","days":2}`:                           entered("arg.city", "Ghent\r\nEast", "arg.days", " 2 "),
		`{"city":"","days":3}`:                                      entered("arg.days", "3"),
		`{"city":"true","days":1,"metric":true,"unit":"1"}`:         entered("arg.city", "true", "arg.days", "1", "arg.metric", "true", "arg.unit", "1"),
		`{"at":{"lat":51.05},"city":"x","days":1,"tags":["a","b"]}`: entered("arg.city", "x", "arg.days", "1", "arg.at", `{ "lat": 51.05 }`, "arg.tags", `["a", "b"]`),
		`{"city":"x","days":1,"free":"plain words"}`:                entered("arg.city", "x", "arg.days", "1", "arg.free", "plain words"),
		`{"anything": [1]}`:                                         entered("json", ` {"anything": [1]} `, "arg.city", "not used"),
		`{"city":"\u003cscript\u003e","days":1.5}`:                  entered("arg.city", "<script>", "arg.days", "1.5"),
	} {
		got, err := arguments(form)
		if err != nil || string(got) != want {
			t.Errorf("%v: %s, %v; want %s", form, got, err, want)
		}
	}
}

// TestNotArguments guards: what is not of its type is refused with the name of the input.
func TestNotArguments(t *testing.T) {
	for want, form := range map[string]url.Values{
		"days is required":   entered("arg.city", "x"),
		"which is no number": entered("arg.city", "x", "arg.days", "two"),
		"tags is not JSON":   entered("arg.city", "x", "arg.days", "1", "arg.tags", "a, b"),
		"are no JSON object": entered("json", "[1]"),
		"city is not text":   entered("arg.city", "\xff", "arg.days", "1"),
	} {
		_, err := arguments(form)
		if hub.KindOf(err) != hub.Invalid || !strings.Contains(err.Error(), want) {
			t.Errorf("%v: %v, want %q", form, err, want)
		}
	}
}

// TestInputs guards: each input of the tool itself has one field, with its default and later with what was entered.
func TestInputs(t *testing.T) {
	var names []string
	for _, in := range play.Inputs(json.RawMessage(schema), nil) {
		names = append(names, in.Name+"="+in.Value+"/"+string(in.Kind))
	}
	if got, want := strings.Join(names, " "), "city=/text days=3/number metric=/choice unit=/choice tags=/json at=/json free=/json"; got != want {
		t.Errorf("%s, want %s", got, want)
	}
	if in := play.Inputs(json.RawMessage(schema), entered("arg.days", "5")); in[1].Value != "5" {
		t.Errorf("%+v", in[1])
	}
}
