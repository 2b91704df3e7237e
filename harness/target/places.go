package target

// UnmarshalYAML reads a pointer, a mapping, or a list of both.
func (p *Places) UnmarshalYAML(decode func(any) error) error {
	var list []Place
	if decode(&list) == nil {
		*p = list
		return nil
	}
	var one Place
	if err := decode(&one); err != nil {
		return err
	}
	*p = Places{one}
	return nil
}

// UnmarshalYAML reads a pointer alone or a mapping.
func (p *Place) UnmarshalYAML(decode func(any) error) error {
	if decode(&p.At) == nil {
		return nil
	}
	type mapping Place
	return decode((*mapping)(p))
}
