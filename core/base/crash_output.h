// Where a process writes its last words: standard error, or a descriptor whose other end its supervisor reads. Any thread, signal
// handlers too; set once, before there are others.
#pragma once
namespace seawall {

void set_crash_output(int fd);
int crash_output();

}  // namespace seawall
