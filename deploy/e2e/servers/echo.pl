# An echo server on Mojolicious. IDLE is how long it bears a session without traffic, in seconds.
use Mojolicious::Lite;

websocket '/*any' => sub {
    my $socket = shift;
    $socket->inactivity_timeout($ENV{IDLE}) if $ENV{IDLE};
    $socket->on(text => sub { $_[0]->send({text => $_[1]}) });
};

app->log->level('error');
app->start;
