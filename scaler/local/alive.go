package local

// Alive tells whether the process of that name lives. It costs an open and a
// lock attempt that never waits, whatever became of the process, and is safe
// for concurrent use. Where it can't tell, it says true.
func Alive(dir, name string) bool {
	return held(files{dir, name}.alive())
}

// Dead returns those of the names whose process does not live, in their order.
func Dead(dir string, names []string) []string {
	var dead []string
	for _, name := range names {
		if !Alive(dir, name) {
			dead = append(dead, name)
		}
	}
	return dead
}
